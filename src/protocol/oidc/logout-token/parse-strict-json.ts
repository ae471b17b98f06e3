const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * A JSON object from bytes: UTF-8 without faults, and no member twice at any depth. Two parsers may read a doubled member
 * differently, so that what was checked would not be what is acted on.
 * @throws SyntaxError or TypeError, whose message never contains the text.
 * @see RFC 7519 section 4
 */
export function parseStrictJsonObject(bytes: Uint8Array): Record<string, unknown> {
  const text = utf8.decode(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new SyntaxError('not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('not a JSON object');
  refuseDoubledMembers(text);
  return value as Record<string, unknown>;
}

interface Level {
  /** Names seen; null inside an array. */
  names: Set<string> | null;
  nameComesNext: boolean;
}

/** Walks over text that is known to be JSON. */
function refuseDoubledMembers(text: string): void {
  const levels: Level[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const level = levels.at(-1);
    switch (text[at]) {
      case '{':
        levels.push({ names: new Set(), nameComesNext: true });
        break;
      case '[':
        levels.push({ names: null, nameComesNext: false });
        break;
      case '}':
      case ']':
        levels.pop();
        break;
      case ',':
        if (level?.names) level.nameComesNext = true;
        break;
      case '"': {
        const end = endOfString(text, at);
        if (level?.names && level.nameComesNext) {
          const name = JSON.parse(text.slice(at, end + 1)) as string;
          if (level.names.has(name)) throw new SyntaxError('a member stands twice');
          level.names.add(name);
          level.nameComesNext = false;
        }
        at = end;
        break;
      }
      default:
    }
  }
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
