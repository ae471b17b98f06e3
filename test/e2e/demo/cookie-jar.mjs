/**
 * The cookies of one browser: host, path and expiry as in RFC 6265. As there, a port does not separate cookies,
 * so the applications of the demo, all on 127.0.0.1, need names of their own for theirs.
 */
export class CookieJar {
  #cookies = new Map();

  /** @param {URL} url @param {string[]} setCookies `Set-Cookie` headers of the answer from `url` */
  store(url, setCookies) {
    for (const header of setCookies) {
      const [pair, ...attributes] = header.split(';').map((part) => part.trim());
      const equals = pair.indexOf('=');
      const options = Object.fromEntries(attributes.map(attribute));
      const cookie = {
        name: pair.slice(0, equals),
        value: pair.slice(equals + 1),
        host: url.hostname,
        path: options.path?.startsWith('/') ? options.path : defaultPath(url.pathname),
        expiresAt: expiry(options),
      };
      const key = JSON.stringify([cookie.host, cookie.path, cookie.name]);
      if (cookie.expiresAt <= Date.now()) this.#cookies.delete(key);
      else this.#cookies.set(key, cookie);
    }
  }

  /** @param {URL} url @returns {string} the `Cookie` header for `url`; empty when there is nothing to send */
  header(url) {
    return [...this.#cookies.values()]
      .filter((cookie) => cookie.host === url.hostname && pathMatches(url.pathname, cookie.path) && cookie.expiresAt > Date.now())
      .sort((a, b) => b.path.length - a.path.length)
      .map((cookie) => `${cookie.name}=${cookie.value}`)
      .join('; ');
  }
}

function attribute(text) {
  const [name, ...value] = text.split('=');
  return [name.toLowerCase(), value.join('=')];
}

function expiry(options) {
  if (options['max-age'] !== undefined) return Date.now() + Number(options['max-age']) * 1000;
  if (options.expires !== undefined) return Date.parse(options.expires);
  return Number.POSITIVE_INFINITY;
}

function defaultPath(path) {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 1));
}

function pathMatches(path, cookiePath) {
  return path === cookiePath || path.startsWith(cookiePath.endsWith('/') ? cookiePath : `${cookiePath}/`);
}
