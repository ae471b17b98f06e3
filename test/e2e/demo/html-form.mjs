/**
 * The first form of a page, as a browser would send it.
 * @param {string} html
 * @returns {{ action: string, method: string, fields: Record<string, string> } | undefined}
 */
export function firstForm(html) {
  const match = /<form\b([^>]*)>([\s\S]*?)<\/form>/i.exec(html);
  if (match === null) return undefined;
  const { action = '', method = 'get' } = attributes(match[1]);
  const inputs = [...match[2].matchAll(/<input\b([^>]*)>/gi)].map((input) => attributes(input[1]));
  const fields = Object.fromEntries(inputs.filter((input) => input.name).map((input) => [input.name, input.value ?? '']));
  return { action, method: method.toLowerCase(), fields };
}

function attributes(text) {
  return Object.fromEntries(
    [...text.matchAll(/([\w-]+)\s*=\s*"([^"]*)"/g)].map(([, name, value]) => [name.toLowerCase(), unescape(value)]),
  );
}

const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#x27': "'" };

function unescape(text) {
  return text.replace(/&(amp|lt|gt|quot|#39|#x27);/g, (_, name) => ENTITIES[name]);
}
