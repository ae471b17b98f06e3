import 'reflect-metadata';
import { mkdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { SamlKeys } from '#registry';
import type { Config } from '#platform/config';
import { describeOnChromium, startChromium, withProfile } from '../support/chromium.js';
import { startFrontSp } from '../support/saml-front-sp.js';
import type { FrontBehaviour, FrontSp, FrontSpParts } from '../support/saml-front-sp.js';
import { makeCredential, makePeer, readRedirect, readSigned } from '../support/saml-peer.js';
import type { ReadMessage } from '../support/saml-peer.js';
import { eventually, startService } from '../support/service.js';
import type { Service } from '../support/service.js';

const IDP = 'idp';
/** A folder for pictures to look at: `EXEUNT_TEST_SCREENSHOTS=/tmp/pictures`. */
const PICTURES = process.env.EXEUNT_TEST_SCREENSHOTS;
/** Keys take long to make, and nobody here looks at whose they are but by the entity. */
const credential = makeCredential('peer');

interface SpParts extends Partial<FrontSpParts> {
  idp?: string;
  /** Announces that it can be told without giving an answer. */
  isAsynchronous?: boolean;
}

interface Sp extends FrontSp {
  id: string;
  name: string;
}

/** One service with SPs around it, each on an origin of its own. */
class World {
  private constructor(
    readonly service: Service,
    readonly browser: Browser,
    private readonly certificate: string,
  ) {}
  private sps: Sp[] = [];
  private contexts: BrowserContext[] = [];
  private static count = 0;

  static async start(browserSettings: Partial<Config['browser']>, dispatch: Partial<Config['dispatch']> = {}): Promise<World> {
    const [service, browser] = await Promise.all([startService({ browser: browserSettings, dispatch }), startChromium()]);
    const metadataXml = makePeer('https://idp.example/saml', credential).metadata({ role: 'idp' });
    const { status, body } = await service.call('POST', '/v1/identity-providers', { id: IDP, name: IDP, saml: { metadataXml } });
    expect({ status, body }).toMatchObject({ status: 201 });
    const { signer } = await service.app.get(SamlKeys, { strict: false }).signerFor(IDP);
    return new World(service, browser, signer.certificate);
  }

  async stop(): Promise<void> {
    await this.clear();
    await this.browser.close();
    await this.service.stop();
  }

  async clear(): Promise<void> {
    await Promise.all(this.contexts.map((context) => context.close()));
    await Promise.all(this.sps.map((sp) => sp.close()));
    this.contexts = [];
    this.sps = [];
  }

  /** Registers an SP under this name. */
  async sp(name: string, behaviour: Parameters<FrontSp['behave']>[0] = 'Success', parts: SpParts = {}): Promise<Sp> {
    const { idp = IDP, isAsynchronous = false, ...rest } = parts;
    const id = `sp-${++World.count}`;
    const answersTo = `${this.service.url}/saml/slo/${idp}`;
    const front = await startFrontSp({ entityId: `https://${id}.example/saml`, credential, answersTo, ...rest });
    front.behave(behaviour);
    const announced = `<md:SingleLogoutService xmlns:aslo="urn:oasis:names:tc:SAML:2.0:protocol:ext:async-slo" aslo:supportsAsynchronous="true"`;
    const metadata = front.peer.metadata({ endpoints: front.endpoints });
    const metadataXml = isAsynchronous ? metadata.replaceAll('<md:SingleLogoutService', announced) : metadata;
    const bindings = front.endpoints.map(({ binding }) => binding);
    const channels = [{ type: 'saml', metadataXml, bindings, asynchronous: isAsynchronous }];
    await this.made('/v1/service-providers', { id, name, idp, layer: 'sp', channels, mayEndRoot: true });
    const sp = { ...front, id, name };
    this.sps.push(sp);
    return sp;
  }

  /** An identity provider that sends its logouts by way of a browser, in frames of its own. */
  async idpWithFrames(): Promise<FrontSp & { id: string }> {
    const id = `idp-${++World.count}`;
    const front = await startFrontSp({ entityId: `https://${id}.example`, credential, answersTo: 'nowhere', bindings: ['post'] });
    const metadataXml = front.peer.metadata({ role: 'idp', endpoints: front.endpoints });
    await this.made('/v1/identity-providers', { id, name: id, saml: { metadataXml } });
    this.sps.push({ ...front, id, name: id });
    return { ...front, id };
  }

  async made(path: string, registration: object): Promise<void> {
    const { status, body } = await this.service.call('POST', path, registration);
    expect({ status, body }).toMatchObject({ status: 201 });
  }

  /** A person who is signed in at these, as `person-{sid}`. */
  signIn(...sps: { id: string }[]): Promise<string> {
    return this.signInAt(IDP, ...sps);
  }

  async signInAt(idp: string, ...sps: { id: string }[]): Promise<string> {
    const sid = `s${++World.count}`;
    const nameId = { value: `person-${sid}` };
    const events = [
      { id: `e-${sid}`, type: 'session.started', idp, handles: { sid, nameId, sessionIndex: `_${sid}` } },
      ...sps.map(({ id }, n) => ({
        id: `e-${sid}-${n}`,
        type: 'session.joined',
        idp,
        parent: { sid },
        sp: id,
        handles: { nameId, sessionIndex: `_${sid}-${id}-${n}` },
      })),
    ];
    const { body } = await this.service.call<{ results: { status: string }[] }>('POST', '/v1/events', { events });
    expect(body.results.map((result) => result.status)).toEqual(events.map(() => 'accepted'));
    return sid;
  }

  /** The identity provider tells of the logout, and is given a page for the browser. */
  async pageFor(sid: string): Promise<{ id: string; url: string }> {
    const { body } = await this.service.call<{ id: string }>('POST', '/v1/logouts', { target: { idp: IDP, sid }, cause: 'user' });
    const opened = await this.service.call<{ url: string; expiresAt: string }>('POST', `/v1/logouts/${body.id}/browser`);
    expect(opened).toMatchObject({ status: 201 });
    return { id: body.id, url: opened.body.url };
  }

  /** Where an SP sends the browser to log out. */
  requestOf(sp: Sp, sid: string, relayState?: string): string {
    const destination = `${this.service.url}/saml/slo/${IDP}`;
    const xml = sp.peer.request({ destination, nameId: `person-${sid}`, sessionIndexes: [`_${sid}-${sp.id}-0`] });
    return sp.peer.redirect(destination, xml, relayState);
  }

  async page(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({ viewport: { width: 900, height: 640 }, ...options });
    this.contexts.push(context);
    return context.newPage();
  }

  async outcomes(id: string): Promise<string[]> {
    const { body } = await this.service.call<{ deliveries: { outcome: string }[] }>('GET', `/v1/logouts/${id}`);
    return body.deliveries.map(({ outcome }) => outcome);
  }

  async outcomesOf(sid: string): Promise<string[]> {
    const [row] = await this.service.database.query<{ id: string }>(`SELECT ended_by AS id FROM sessions WHERE sid = $1`, [sid]);
    return this.outcomes(row!.id);
  }

  /** What an SP was answered, whose LogoutRequest began it all: signed by us, or this fails. */
  answerTo(sp: Sp): ReadMessage {
    const message = sp.received.find(({ kind }) => kind === 'SAMLResponse')!;
    return message.binding === 'post'
      ? readSigned(message.xml, this.certificate, message.relayState)
      : readRedirect(message.url, this.certificate);
  }
}

const title = (page: Page): Promise<string> => page.locator('h1').innerText();
const message = (page: Page): Promise<string> => page.locator('#message').innerText();
const texts = (page: Page): Promise<string[]> =>
  page.locator('li').evaluateAll((items) => items.map((item) => (item as HTMLElement).innerText.replace(/\s*\n\s*/g, ': ')));
const requestsTo = (sp: Sp): number => sp.received.filter(({ kind }) => kind === 'SAMLRequest').length;

/** For people's eyes. */
async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES === undefined) return;
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: `${PICTURES}/${name}.png` });
}

describeOnChromium("a person's browser on its way through a logout", () => {
  const LEG_TIMEOUT = 1_500;
  let world: World;
  beforeAll(async () => {
    world = await World.start({ legTimeoutMs: LEG_TIMEOUT, answerWithinMs: 6_000 });
  });
  afterEach(() => world.clear());
  afterAll(() => world?.stop());

  /** The end of the page that nobody is owed an answer from. */
  const ended = (page: Page, words: string): Promise<void> => page.locator('main[aria-busy="false"]', { hasText: words }).waitFor();

  describe('all is well', () => {
    it.each(['redirect', 'post'] as const)('SLO-40 SLO-47 an SP is told by %s, in a frame, and its answer is taken', async (binding) => {
      const sp = await world.sp('Payroll', 'Success', { bindings: [binding], answersBy: binding });
      const { id, url } = await world.pageFor(await world.signIn(sp));
      const page = await world.page();
      await page.goto(url);
      await ended(page, 'You are signed out everywhere.');
      expect(await texts(page)).toEqual(['Payroll: signed out']);
      expect(await world.outcomes(id)).toEqual(['confirmed']);
      expect(sp.received).toMatchObject([{ binding, kind: 'SAMLRequest', relayState: null }]);
    });

    it('SLO-12 SLO-52 SLO-90 SLO-93 an SP that asks gets Success when all others have ended, with its RelayState', async () => {
      const asker = await world.sp('Wiki');
      const others = [await world.sp('Payroll'), await world.sp('Mail', 'Success', { bindings: ['post'], answersBy: 'post' })];
      const sid = await world.signIn(asker, ...others);
      const page = await world.page();
      await page.goto(world.requestOf(asker, sid, 'back-to-<b>"me"'));
      await page.getByText('You are back').waitFor();
      expect(world.answerTo(asker)).toMatchObject({ status: 'Success', relayState: 'back-to-<b>"me"' });
      expect(await world.outcomesOf(sid)).toEqual(['confirmed', 'confirmed', 'confirmed']);
      expect(requestsTo(asker)).toBe(0);
    });

    it('SLO-56 the answer goes as a form where the SP takes it that way', async () => {
      const asker = await world.sp('Wiki', 'Success', { bindings: ['post'] });
      const sid = await world.signIn(asker, await world.sp('Payroll'));
      const page = await world.page();
      await page.goto(world.requestOf(asker, sid));
      await page.getByText('You are back').waitFor();
      expect(asker.received).toMatchObject([{ kind: 'SAMLResponse', binding: 'post' }]);
      expect(world.answerTo(asker)).toMatchObject({ status: 'Success' });
    });

    it('a dozen SPs get their frames in turn, and all are told', async () => {
      const sps = await Promise.all(Array.from({ length: 12 }, (_, n) => world.sp(`Application ${n + 1}`)));
      const { id, url } = await world.pageFor(await world.signIn(...sps));
      const page = await world.page();
      await page.goto(url);
      await ended(page, 'You are signed out everywhere.');
      expect(new Set(await world.outcomes(id))).toEqual(new Set(['confirmed']));
      expect(sps.map(requestsTo)).toEqual(sps.map(() => 1));
      await picture(page, 'ended');
    });

    it('a logout that ended nothing says so', async () => {
      const asker = await world.sp('Wiki');
      const page = await world.page();
      await page.goto(world.requestOf(asker, 'nobody'));
      await page.getByText('You are back').waitFor();
      expect(world.answerTo(asker)).toMatchObject({ status: 'Success' });
    });
  });

  describe('an SP that does not do its part holds nothing up', () => {
    it('SLO-18 SLO-30 one never comes back: the others end, the page goes on, and who asked is told of a partial logout', async () => {
      const asker = await world.sp('Wiki');
      const [good, dead] = [await world.sp('Payroll'), await world.sp('Archive', 'hang')];
      const sid = await world.signIn(asker, dead, good);
      const page = await world.page();
      await page.goto(world.requestOf(asker, sid));
      await page.locator('li.ended', { hasText: 'Payroll' }).waitFor();
      await page.locator('li.telling', { hasText: 'Archive' }).waitFor();
      expect(await title(page)).toBe('Signing you out');
      await picture(page, 'in-progress');
      await page.getByText('You are back').waitFor();
      expect(world.answerTo(asker)).toMatchObject({ status: 'Success/PartialLogout' });
      expect((await world.outcomesOf(sid)).sort()).toEqual(['awaiting-browser', 'confirmed', 'confirmed']);
      expect([requestsTo(good), requestsTo(dead)]).toEqual([1, 1]);
    });

    it('with nobody to go back to the page tells the truth, and no more', async () => {
      const sps = [await world.sp('Payroll'), await world.sp('Archive', 'hang'), await world.sp('Mail', 'Responder/PartialLogout')];
      const { url } = await world.pageFor(await world.signIn(...sps));
      const page = await world.page();
      await page.goto(url);
      await ended(page, 'You are signed out of 1 of 3 applications.');
      expect(await title(page)).toBe('Not signed out everywhere');
      expect(await texts(page)).toEqual([
        'Payroll: signed out',
        'Archive: no answer came back, so it cannot be confirmed',
        'Mail: signed out in part only',
      ]);
      await picture(page, 'partial');
      await eventually(
        () => page.locator('iframe').count(),
        (frames) => frames === 0,
      );
    });

    it.each<[string, FrontBehaviour]>([
      ['shows an error that may not be framed', 'no-framing'],
      ['tries to take the whole window', 'breaks-out'],
    ])('one %s: the page stays, and does not claim that it ended', async (_, behaviour) => {
      const sps = [await world.sp('Archive', behaviour), await world.sp('Payroll')];
      const { url } = await world.pageFor(await world.signIn(...sps));
      const page = await world.page();
      await page.goto(url);
      await ended(page, 'You are signed out of 1 of 2 applications.');
      expect(page.url()).toBe(url);
      expect(await texts(page)).toEqual(['Archive: no answer came back, so it cannot be confirmed', 'Payroll: signed out']);
    });

    it('SLO-26 SLO-73 one denies over Redirect and has POST, too: it is told that way then', async () => {
      const sp = await world.sp('Payroll', { redirect: 'Responder/RequestDenied', post: 'Success' }, { bindings: ['redirect', 'post'] });
      const { id, url } = await world.pageFor(await world.signIn(sp));
      const page = await world.page();
      await page.goto(url);
      await ended(page, 'You are signed out everywhere.');
      expect(sp.received.map(({ binding }) => binding)).toEqual(['redirect', 'post']);
      expect(await world.outcomes(id)).toEqual(['confirmed']);
    });

    it('one is still being tried by the server: the page says so at its end, and sees it end after all', async () => {
      const late = await world.sp('Payroll');
      const { id, url } = await world.pageFor(await world.signIn(late));
      await world.service.database.query(
        `UPDATE deliveries SET outcome = 'retrying', next_attempt_at = now() + interval '1 hour' WHERE logout_id = $1`,
        [id],
      );
      const page = await world.page();
      await page.goto(url);
      await ended(page, 'You are signed out of 0 of 1 application. We keep trying the one that has not answered.');
      await world.service.database.query(`UPDATE deliveries SET outcome = 'confirmed' WHERE logout_id = $1`, [id]);
      await ended(page, 'You are signed out everywhere.');
    });

    it('ASLO-3 one that gives no answer is sent its message before the page goes on, and nothing is claimed of it', async () => {
      const asker = await world.sp('Wiki');
      const silent = await world.sp('Intranet', 'silent', { isAsynchronous: true });
      const sid = await world.signIn(asker, silent);
      const page = await world.page();
      await page.goto(world.requestOf(asker, sid));
      await page.locator('li.unconfirmed', { hasText: 'asked; it does not say whether it is done' }).waitFor();
      await page.getByText('You are back').waitFor();
      expect(silent.received).toMatchObject([{ kind: 'SAMLRequest', wasCut: false }]);
      expect(world.answerTo(asker)).toMatchObject({ status: 'Success/PartialLogout' });
      expect((await world.outcomesOf(sid)).sort()).toEqual(['attempted', 'confirmed']);
    });

    it('when we do not answer any more the page goes on by its own clock', async () => {
      const asker = await world.sp('Wiki');
      const sid = await world.signIn(asker, await world.sp('Archive', 'hang'));
      const page = await world.page();
      await page.route('**/state', (route) => route.abort());
      await page.goto(world.requestOf(asker, sid));
      await page.getByText('You are back').waitFor();
      expect(world.answerTo(asker)).toMatchObject({ status: 'Success/PartialLogout' });
    });

    it('a person who does not want to wait goes on, and who asked is told of a partial logout', async () => {
      const asker = await world.sp('Wiki');
      const sid = await world.signIn(asker, await world.sp('Archive', 'hang'));
      const page = await world.page();
      await page.goto(world.requestOf(asker, sid));
      await page.getByRole('link', { name: 'Continue without waiting' }).click();
      await page.getByText('You are back').waitFor();
      expect(world.answerTo(asker)).toMatchObject({ status: 'Success/PartialLogout' });
    });
  });

  describe('an identity provider that sends its logouts in frames', () => {
    it('SLO-25 SLO-28 gets the page into its frame, our SPs are told there, and the answer comes back there', async () => {
      const idp = await world.idpWithFrames();
      const sp = await world.sp('Payroll', 'Success', { idp: idp.id, bindings: ['post'], answersBy: 'post' });
      const sid = await world.signInAt(idp.id, sp);
      const destination = `${world.service.url}/saml/slo/${idp.id}`;
      const xml = idp.peer.request({ destination, nameId: `person-${sid}`, sessionIndexes: [`_${sid}`] });
      const page = await world.page();
      await page.goto(`${idp.origin}/`);
      await page.evaluate(
        (src) => {
          const frame = document.createElement('iframe');
          frame.src = src;
          document.body.append(frame);
        },
        idp.peer.redirect(destination, xml),
      );
      await page.frameLocator('iframe').getByText('You are back').waitFor();
      expect(idp.received).toMatchObject([{ kind: 'SAMLResponse', binding: 'post' }]);
      expect(idp.received[0]!.xml).not.toContain('PartialLogout');
      expect(requestsTo(sp)).toBe(1);
    });

    it('nobody else does', async () => {
      const asker = await world.sp('Wiki');
      const sid = await world.signIn(asker, await world.sp('Payroll'));
      const { headers } = await fetch(world.requestOf(asker, sid));
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('x-frame-options')).toBe('DENY');
    });
  });

  describe('an SP that needs its cookie, on another site', () => {
    const visit = async (page: Page, words: string): Promise<string[]> => {
      const sp = await world.sp('Payroll', 'cookie', { hostname: 'localhost' });
      const { id, url } = await world.pageFor(await world.signIn(sp));
      await page.goto(`${sp.origin}/`);
      await page.goto(url);
      await ended(page, words);
      return world.outcomes(id);
    };

    it('is told where the browser lets it have the cookie in a frame', async () => {
      const outcomes = await withProfile(async (context) => visit(await context.newPage(), 'You are signed out everywhere.'));
      expect(outcomes).toEqual(['confirmed']);
    });

    it('is not said to have ended where the browser blocks it', async () => {
      expect(await visit(await world.page(), 'You are signed out of 0 of 1 application.')).toEqual(['refused']);
    });
  });

  describe('without scripts', () => {
    it('SLO-48 Redirect works by itself, POST by a button, and the page goes on', async () => {
      const asker = await world.sp('Wiki');
      const [redirect, post] = [await world.sp('Payroll'), await world.sp('Mail', 'Success', { bindings: ['post'] })];
      const sid = await world.signIn(asker, redirect, post);
      const page = await world.page({ javaScriptEnabled: false });
      await page.goto(world.requestOf(asker, sid));
      const frame = page.frameLocator('iframe[title="Mail"]');
      await picture(page, 'no-script');
      await frame.getByRole('button', { name: 'Continue' }).click();
      await page.getByText('You are back').waitFor();
      expect(world.answerTo(asker)).toMatchObject({ status: 'Success' });
      expect([requestsTo(redirect), requestsTo(post)]).toEqual([1, 1]);
    });

    it('looking again does not begin anew what is under way', async () => {
      const asker = await world.sp('Wiki');
      const sid = await world.signIn(asker, await world.sp('Archive', 'hang'));
      const page = await world.page({ javaScriptEnabled: false });
      // Its load never ends, and with it no refresh begins: the person goes on by hand.
      await page.goto(world.requestOf(asker, sid), { waitUntil: 'commit' });
      const again = page.getByRole('link', { name: 'Look again' });
      await page.locator('li.telling').or(page.locator('li.browser')).waitFor();
      await eventually(
        () => Promise.resolve(page.frames().length),
        (frames) => frames > 1,
      );
      await again.click();
      expect(await page.locator('noscript iframe').count()).toBe(0);
      await page.getByText('You are back').waitFor();
      expect(world.answerTo(asker)).toMatchObject({ status: 'Success/PartialLogout' });
    });
  });

  describe('the address is all it takes, and gives nothing away', () => {
    it('SLOX-18 what a stranger may have written is shown as text, and no NameID is shown at all', async () => {
      const sp = await world.sp('<img src=x onerror=alert(1)>"\'&amp;');
      const sid = await world.signIn(sp);
      const { url } = await world.pageFor(sid);
      const page = await world.page();
      await page.goto(url);
      await ended(page, 'You are signed out everywhere.');
      expect(await texts(page)).toEqual(['<img src=x onerror=alert(1)>"\'&amp;: signed out']);
      expect(await page.content()).not.toContain(`person-${sid}`);
    });

    it('SPs learn neither the address of the page nor where the browser came from', async () => {
      const sps = [await world.sp('Payroll'), await world.sp('Mail', 'Success', { bindings: ['post'] })];
      const { url } = await world.pageFor(await world.signIn(...sps));
      const page = await world.page();
      await page.goto(url);
      await ended(page, 'You are signed out everywhere.');
      for (const { received } of sps) expect(JSON.stringify(received)).not.toContain(url.split('/').at(-1));
      expect(sps.map(({ received }) => received[0]!.headers.referer)).toEqual([undefined, undefined]);
    });

    it('its policy lets frames go to the SPs of this logout and to nobody else', async () => {
      const [sp, stranger] = [await world.sp('Payroll'), await world.sp('Stranger')];
      const { url } = await world.pageFor(await world.signIn(sp));
      const policy = (await fetch(url)).headers.get('content-security-policy')!;
      expect(policy).toContain(`frame-src 'self' ${sp.origin};`);
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|\*/);
      const page = await world.page();
      const broken: string[] = [];
      page.on('console', (line) => void (line.text().includes('escape its sandboxing') || broken.push(line.text())));
      await page.goto(url);
      await ended(page, 'You are signed out everywhere.');
      expect(broken).toEqual([]);
      await page.evaluate((src) => {
        const frame = document.createElement('iframe');
        frame.src = src;
        document.body.append(frame);
      }, `${stranger.origin}/`);
      await eventually(
        () => Promise.resolve(broken.join()),
        (lines) => lines.includes('frame-src'),
      );
    });

    it('the same leg opened ten times at once is run once', async () => {
      const sp = await world.sp('Payroll');
      const { url } = await world.pageFor(await world.signIn(sp));
      const answers = await Promise.all(Array.from({ length: 10 }, () => fetch(`${url}/legs/1`, { redirect: 'manual' })));
      expect(answers.map(({ status }) => status).sort()).toEqual([...Array.from({ length: 9 }, () => 200), 303]);
      for (const answer of answers) expect(answer.headers.get('cache-control')).toMatch(/no-store/);
    });

    it('to load the page, or to ask for the head of anything, changes nothing', async () => {
      const sp = await world.sp('Payroll');
      const { id, url } = await world.pageFor(await world.signIn(sp));
      for (const path of ['', '/state']) expect((await fetch(url + path)).status).toBe(200);
      for (const path of ['/legs/1', '/answer']) expect((await fetch(url + path, { method: 'HEAD' })).status).toBe(405);
      expect(await world.service.database.query('SELECT 1 FROM attempts WHERE logout_id = $1', [id])).toEqual([]);
      expect(
        await world.service.database.query('SELECT 1 FROM browser_flows WHERE answered_at IS NOT NULL AND logout_id = $1', [id]),
      ).toEqual([]);
    });

    it('nobody is owed an answer: to go for one leads back to the page', async () => {
      const { url } = await world.pageFor(await world.signIn(await world.sp('Payroll', 'hang')));
      const answer = await fetch(`${url}/answer`, { redirect: 'manual' });
      expect(answer.status).toBe(303);
      expect(new URL(answer.headers.get('location')!, answer.url).href).toBe(url);
    });

    it('an answer that was lost can be had again, and who comes back is not sent away by himself', async () => {
      const asker = await world.sp('Wiki');
      const sid = await world.signIn(asker);
      const first = await fetch(world.requestOf(asker, sid), { redirect: 'manual' });
      const url = first.headers.get('location')!;
      expect(await (await fetch(`${url}/state`)).json()).toMatchObject({ next: 'answer', settled: true });
      for (let n = 0; n < 2; n++) {
        const { status, headers } = await fetch(`${url}/answer`, { redirect: 'manual' });
        expect({ status, location: headers.get('location')! }).toMatchObject({
          status: 303,
          location: expect.stringContaining(asker.origin) as unknown,
        });
      }
      expect(await (await fetch(`${url}/state`)).json()).toMatchObject({ next: 'stay', title: 'You are signed out' });
    });

    it('an unknown, cut or old address is a page that says so, and never a leg', async () => {
      const { url } = await world.pageFor(await world.signIn(await world.sp('Payroll')));
      const addresses = [`${url.slice(0, -1)}`, `${url}x`, `${world.service.url}/logout/${'A'.repeat(43)}`];
      await world.service.database.query(`UPDATE browser_flows SET forget_at = now() WHERE token_hash = sha256($1)`, [
        Buffer.from((await world.pageFor(await world.signIn(await world.sp('Mail')))).url.split('/').at(-1)!),
      ]);
      for (const address of addresses) {
        for (const path of ['', '/state', '/answer']) expect((await fetch(address + path)).status).toBe(404);
        expect(await (await fetch(address)).text()).toContain('There is no logout at this address');
        expect(await (await fetch(`${address}/legs/1`)).text()).toContain('Nothing to do');
      }
    });
  });

  describe('POST /v1/logouts/{id}/browser', () => {
    it('is for administrators and the identity provider whose logout it is', async () => {
      const { id } = await world.pageFor(await world.signIn(await world.sp('Payroll')));
      const saml = { metadataXml: makePeer(`https://${id}.example`, credential).metadata({ role: 'idp' }) };
      const other = await world.service.call<{ apiKey: string }>('POST', '/v1/identity-providers', {
        id: `idp-${id.slice(0, 8)}`,
        name: 'x',
        saml,
      });
      const foreign = await world.service.call('POST', `/v1/logouts/${id}/browser`, undefined, { token: other.body.apiKey });
      expect(foreign.status).toBe(404);
      expect((await world.service.call('POST', `/v1/logouts/${id}/browser`, undefined, { token: null })).status).toBe(401);
      const unknown = `${id.slice(0, -4)}0000`;
      expect((await world.service.call('POST', `/v1/logouts/${unknown}/browser`)).status).toBe(404);
      const own = await world.service.call<{ url: string; expiresAt: string }>('POST', `/v1/logouts/${id}/browser`);
      expect(own).toMatchObject({ status: 201, body: { url: expect.stringMatching(/\/logout\/[\w-]{43}$/) as unknown } });
      expect(own.headers.get('cache-control')).toBe('no-store');
      expect(Date.parse(own.body.expiresAt) - Date.now()).toBeGreaterThan(60_000);
    });
  });

  it('can be read on a phone, and in the dark', async () => {
    const names = ['Payroll', 'A quite long name of an application that somebody gave it', 'Archive', 'Mail'];
    const behaviours: FrontBehaviour[] = ['Success', 'hang', 'Responder/RequestDenied', 'Success'];
    const sps = await Promise.all(names.map((name, n) => world.sp(name, behaviours[n])));
    const { url } = await world.pageFor(await world.signIn(...sps));
    const page = await world.page({ viewport: { width: 360, height: 640 }, colorScheme: 'dark' });
    await page.goto(url);
    await picture(page, 'phone-dark-in-progress');
    await ended(page, 'You are signed out of 2 of 4 applications.');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe('rgb(23, 23, 27)');
    await picture(page, 'phone-dark-partial');
    await page.emulateMedia({ colorScheme: 'light' });
    await picture(page, 'phone-light-partial');
    expect(await message(page)).toContain('To be sure, close your browser.');
  });
});

describeOnChromium('a browser that goes away', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start({ legTimeoutMs: 1_000, answerWithinMs: 4_000, waitSeconds: 3 }, { sweepGraceSeconds: 1 });
  });
  afterAll(() => world?.stop());

  it('what it had not come to, for it is sent to four at a time, waits for another one, and at its deadline is skipped; where it was, no answer came', async () => {
    const sps = await Promise.all(
      ['hang', 'hang', 'hang', 'hang', 'Success', 'Success'].map((does, n) => world.sp(`Application ${n}`, does)),
    );
    const { id, url } = await world.pageFor(await world.signIn(...sps));
    const page = await world.page();
    await page.goto(url);
    await eventually(
      () => Promise.resolve(sps.filter((sp) => requestsTo(sp) > 0).length),
      (told) => told === 4,
    );
    await page.context().close();
    expect(sps.map(requestsTo)).toEqual([1, 1, 1, 1, 0, 0]);
    expect(await world.outcomes(id)).toEqual(sps.map(() => 'awaiting-browser'));
    const final = await eventually(
      () => world.outcomes(id),
      (outcomes) => !outcomes.includes('awaiting-browser'),
    );
    // Those to whom it had been sent are not said to have had no browser.
    expect(final).toEqual(['unreachable', 'unreachable', 'unreachable', 'unreachable', 'skipped', 'skipped']);
  });
});
