/**
 * Where a page wants to be left for by itself, and when: the page itself (an empty address), or another one.
 * @param {string} html
 * @returns {{ seconds: number, url: string } | undefined}
 */
export function metaRefresh(html) {
  const match = /<meta\s+http-equiv="refresh"\s+content="(\d+)(?:;\s*url=([^"]*))?"/i.exec(html);
  return match === null ? undefined : { seconds: Number(match[1]), url: (match[2] ?? '').replaceAll('&amp;', '&') };
}
