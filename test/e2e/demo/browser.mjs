import { setTimeout as sleep } from 'node:timers/promises';
import { CookieJar } from './cookie-jar.mjs';
import { firstForm } from './html-form.mjs';
import { metaRefresh } from './meta-refresh.mjs';

const REDIRECT_LIMIT = 20;

/**
 * What the user's browser does in the demo: keeps cookies, follows redirects, loads pages again that ask for it, fills forms in. Like one in which scripts are off.
 * @typedef {{ url: URL, status: number, location: URL | undefined, body: string }} Page
 */
export class Browser {
  #jar = new CookieJar();

  /** One request; a redirect is shown, not followed. @returns {Promise<Page>} */
  async request(address, init = {}) {
    const url = new URL(address);
    const cookie = this.#jar.header(url);
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: { accept: 'text/html', ...(cookie && { cookie }), ...init.headers },
      signal: AbortSignal.timeout(15_000),
    });
    this.#jar.store(url, response.headers.getSetCookie());
    const location = response.headers.get('location');
    return { url, status: response.status, location: location === null ? undefined : new URL(location, url), body: await response.text() };
  }

  /** Opens an address and follows redirects, and pages that send the browser on, to the page where they end. @returns {Promise<Page>} */
  async open(address, init) {
    let page = await this.request(address, init);
    for (let hops = 0; ; hops++) {
      const next = page.location === undefined ? metaRefresh(page.body) : { seconds: 0, url: page.location };
      if (next === undefined) return page;
      const url = new URL(next.url, page.url);
      if (hops === REDIRECT_LIMIT) throw new Error(`${address} redirects more than ${REDIRECT_LIMIT} times, last to ${url.origin}`);
      await sleep(next.seconds * 1000);
      page = await this.request(url);
    }
  }

  /**
   * Sends the form of a page, with `values` typed into its fields, and follows where that leads.
   * @param {Page} page @param {Record<string, string>} values
   * @returns {Promise<Page>}
   */
  async submit(page, values) {
    const form = firstForm(page.body);
    if (form === undefined) throw new Error(`no form on the page at ${page.url.origin}${page.url.pathname} (status ${page.status})`);
    const body = new URLSearchParams({ ...form.fields, ...values });
    return this.open(new URL(form.action, page.url), { method: form.method, body });
  }
}

/** @param {Page} page whether the page has a form to fill in */
export function hasForm(page) {
  return firstForm(page.body) !== undefined;
}

/** @param {Page} page the fields of its form; none where there is no form */
export function fieldsOf(page) {
  return firstForm(page.body)?.fields ?? {};
}
