import { request } from 'undici';
import type { Dispatcher } from 'undici';
import { CookieJar } from '../e2e/demo/cookie-jar.mjs';
import { firstForm } from '../e2e/demo/html-form.mjs';

export interface Page {
  url: URL;
  status: number;
  location: URL | undefined;
  body: string;
}

const HOP_LIMIT = 20;

/**
 * Somebody with a browser of their own, which asks as browsers do for pages. Not with `fetch`: that says of itself that it is a
 * script (`Sec-Fetch-Mode: cors`), and mod_auth_openidc answers 401 to scripts instead of sending them to the OP.
 */
export class Person {
  private readonly jar = new CookieJar();

  /** @param dispatcher which knows the certificates of the pages; without it, those of the system count */
  constructor(
    readonly name: string,
    private readonly dispatcher?: Dispatcher,
  ) {}

  /** Opens a page, and logs in and consents at the OP as often as it asks. @returns the page where that ends: the last, or the redirect to `until` */
  async logIn(address: string, until?: string): Promise<Page> {
    let page = await this.visit(address);
    for (let hops = 0; ; hops++) {
      if (hops === HOP_LIMIT) throw new Error(`${this.name} is led on and on, last to ${page.url.href}`);
      if (until !== undefined && page.location?.href.startsWith(until)) return page;
      const form = firstForm(page.body);
      if (page.location) page = await this.visit(page.location);
      else if (form) page = await this.submit(page, { login: this.name, password: 'any' });
      else return page;
    }
  }

  /** One request, no redirect followed. */
  async visit(address: string | URL, form?: Record<string, string>): Promise<Page> {
    const url = new URL(address);
    const answer = await request(url, {
      method: form ? 'POST' : 'GET',
      headers: {
        accept: 'text/html',
        'sec-fetch-mode': 'navigate',
        cookie: this.jar.header(url),
        ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      ...(form && { body: new URLSearchParams(form).toString() }),
      ...(this.dispatcher && { dispatcher: this.dispatcher }),
    });
    const { 'set-cookie': cookies = [], location } = answer.headers;
    this.jar.store(url, [cookies].flat());
    return {
      url,
      status: answer.statusCode,
      location: typeof location === 'string' ? new URL(location, url) : undefined,
      body: await answer.body.text(),
    };
  }

  /** Signs out at the OP's own page. */
  async logOut(issuer: string): Promise<Page> {
    return this.submit(await this.visit(`${issuer}/session/end`), { logout: 'yes' });
  }

  private async submit(page: Page, values: Record<string, string>): Promise<Page> {
    const form = firstForm(page.body);
    if (!form) throw new Error(`no form at ${page.url.href} (status ${page.status}):\n${page.body}`);
    return this.visit(new URL(form.action, page.url), { ...form.fields, ...values });
  }
}
