import { Browser, fieldsOf, hasForm } from './browser.mjs';

const FORM_LIMIT = 4;

/** A person with a browser, who logs in at the applications through the OP and logs out at the OP. */
export class User {
  #browser = new Browser();

  /** @param {string} name @param {string} issuer the OP */
  constructor(name, issuer) {
    this.name = name;
    this.issuer = issuer;
  }

  /** Opens the protected page of an application, and logs in and consents at the OP when asked to. @returns the page where that ends */
  async logIn(rp) {
    let page = await this.#browser.open(`${rp.baseUrl}/profile`);
    for (let forms = 0; hasForm(page); forms++) {
      if (page.url.origin !== this.issuer) throw new Error(`${rp.name} led to a form at ${page.url.origin}, which is not the OP`);
      if (forms === FORM_LIMIT) throw new Error(`the OP asks ${this.name} again and again, last at ${page.url.pathname}`);
      page = await this.#browser.submit(page, this.#typedInto(page));
    }
    return page;
  }

  /** Some forms want a name and a password, others only to be sent on. */
  #typedInto(page) {
    return 'login' in fieldsOf(page) ? { login: this.name, password: 'secret of the stage' } : {};
  }

  /** One request for the protected page, no redirect followed. */
  visit(rp) {
    return this.#browser.request(`${rp.baseUrl}/profile`);
  }

  /**
   * Whether the application asks for login, and the OP too: an OP that still knows the user would let them straight in again.
   * @returns {Promise<{ asked: boolean, seen: string }>}
   */
  async isAskedToLogIn(rp) {
    const page = await this.visit(rp);
    if (page.status === 401) return { asked: true, seen: '401' };
    if (page.location?.origin !== this.issuer) return { asked: false, seen: String(page.status) };
    const end = await this.#browser.open(page.location);
    const login = /name="prompt"\s+value="login"/.test(end.body);
    return {
      asked: login,
      seen: `${page.status} to the OP, which ${login ? 'asks for login' : `does not ask for login (status ${end.status})`}`,
    };
  }

  /** Logs out at the OP's own page. */
  async logOut() {
    const page = await this.#browser.open(`${this.issuer}/session/end`);
    const end = await this.#browser.submit(page, { logout: 'yes' });
    if (end.status !== 200) throw new Error(`the OP answered the logout with status ${end.status}: ${end.body.slice(0, 300)}`);
  }

  /** Signs out at an application, which has Exeunt end the other sessions. @returns the page where that ends */
  signOutAt(application) {
    return this.#browser.open(`${application.baseUrl}/logout`);
  }
}
