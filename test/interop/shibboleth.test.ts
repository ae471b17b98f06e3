import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { inflateRawSync } from 'node:zlib';
import type { Browser, Page, Request as BrowserRequest } from 'playwright-core';
import { request } from 'undici';
import { envelope, makePeer } from '../support/saml-peer.js';
import type { Credential } from '../support/saml-peer.js';
import { eventually } from '../support/service.js';
import { startChromium } from '../support/chromium.js';
import { describeWith } from './describe-with.js';
import type { Person } from './person.js';
import { chromium, shibboleth } from './products.js';
import { IDP, RP, ShibbolethWorld } from './shibboleth-world.js';
import type { Logout } from './shibboleth-world.js';

const SUCCESS = 'Logout completed successfully.';
const PARTIAL = 'You remain logged into one or more applications';

let world: ShibbolethWorld;

describeWith(shibboleth, 'Shibboleth SP', () => {
  beforeAll(async () => {
    world = await ShibbolethWorld.start();
  }, 60_000);
  afterAll(() => world?.stop());

  describe('control: it checks signatures', () => {
    it.each([
      ['SLO-80 no signature at all', (xml: string) => xml, 'Security of LogoutRequest not established.'],
      [
        'SLO-75 a key that is not in the metadata of its identity provider',
        (xml: string) => makePeer(world.idp.entityId).sign(xml),
        'Message was signed, but signature could not be verified.',
      ],
    ])('it refuses a LogoutRequest over SOAP with %s, and the session lives', async (_, sign, why) => {
      const eve = await signedIn('eve');
      const answer = await postSoap(sign(requestFor('eve', world.idp)));
      expect(answer).toMatchObject({ status: 500 });
      expect(answer.body).toContain(why);
      expect(await eve.visit(world.shibboleth.page)).toMatchObject({ status: 200 });
    });

    it('takes the same one when its identity provider has signed it', async () => {
      const eve = await signedIn('eve');
      const idp = makePeer(world.idp.entityId, world.idp);
      const answer = await postSoap(idp.sign(requestFor('eve', world.idp)));
      expect(answer).toMatchObject({ status: 200 });
      expect(answer.body).toContain('status:Success');
      await asksForLogin(eve);
    });
  });

  describe('is told over SOAP', () => {
    beforeEach(() => world.tell({ bindings: ['soap'] }));

    it('SLO-7 SLO-57 ends the session that the NameID and the SessionIndex name, and no other; its signed answer makes the delivery confirmed', async () => {
      const [ada, bob] = [await signedIn('ada'), await signedIn('bob')];
      const logout = await world.end('ada');
      expect(logout).toMatchObject({
        verdict: 'complete',
        deliveries: [{ sp: world.sp, outcome: 'confirmed', attempts: [{ channel: 'saml-soap', result: 'confirmed', httpStatus: 200 }] }],
      });
      const { nameId } = world.loginOf('ada');
      expect(lastSoap()).toContain(`>${nameId.value.replace('&', '&amp;')}</saml:NameID>`);
      await asksForLogin(ada);
      expect(await bob.visit(world.shibboleth.page)).toMatchObject({ status: 200 });
    });

    it('SLO-5 the same when the identity provider reports that the session has ended', async () => {
      const ada = await signedIn('ada');
      const [{ logoutId } = {}] = await world.post({
        type: 'session.ended',
        handles: { sid: world.loginOf('ada').sid },
        initiator: 'user',
      });
      expect(await world.final(logoutId!)).toMatchObject({ cause: 'user', verdict: 'complete', deliveries: [{ outcome: 'confirmed' }] });
      await asksForLogin(ada);
    });

    it('SLO-11 SLO-92 decrypts an EncryptedID, of which nobody on the way can read the NameID', async () => {
      await world.tell({ bindings: ['soap'], encryptNameId: true });
      const ada = await signedIn('ada');
      expect(await world.end('ada')).toMatchObject({ verdict: 'complete', deliveries: [{ outcome: 'confirmed' }] });
      expect(lastSoap()).toContain('<saml:EncryptedID');
      expect(lastSoap()).not.toContain('NameID>');
      await asksForLogin(ada);
    });

    it('SLO-19 says PartialLogout of a session that it does not know (any more), which is what the ledger says, and perhaps why', async () => {
      const ada = await signedIn('ada');
      world.back.loseNextAnswer();
      const logout = await world.end('ada');
      expect(logout).toMatchObject({ verdict: 'partial', deliveries: [{ outcome: 'partial' }] });
      const { attempts } = logout.deliveries[0]!;
      expect(attempts.map(({ result }) => result)).toEqual(['failed', 'partial']);
      expect(new Set(attempts.map(({ jti }) => jti)).size).toBe(2);
      expect(attempts[1]!.error).toMatch(
        /^answered Responder\/PartialLogout.*perhaps an earlier attempt, whose answer was lost, has ended the session$/,
      );
      await asksForLogin(ada);
    });

    it('SLO-7 says the same, and keeps the session, when the identity provider reported the NameID without its Format: no proof that it is gone', async () => {
      world.nameIdToReport = ({ value }) => ({ value });
      const ada = await signedIn('ada').finally(() => (world.nameIdToReport = (nameId) => nameId));
      const logout = await world.end('ada');
      expect(logout).toMatchObject({
        verdict: 'partial',
        deliveries: [{ outcome: 'partial', attempts: [{ result: 'partial', error: 'answered Responder/PartialLogout' }] }],
      });
      expect(await ada.visit(world.shibboleth.page)).toMatchObject({ status: 200 });
    });

    it('SLO-74 SLO-95 believes a new key of ours when it has read the metadata again; until then it is asked again', async () => {
      const ada = await signedIn('ada');
      const before = certificateIn(lastSoap());
      await world.done(201, 'POST', `/v1/identity-providers/${IDP}/saml-keys/rotate`, { overlapSeconds: 0 });
      const logout = await world.end('ada');
      expect(logout).toMatchObject({ verdict: 'complete', deliveries: [{ outcome: 'confirmed' }] });
      const { attempts } = logout.deliveries[0]!;
      expect(attempts.at(-1)).toMatchObject({ result: 'confirmed' });
      expect(certificateIn(lastSoap())).not.toBe(before);
      await asksForLogin(ada);
    });
  });

  describe('asks for a logout over SOAP', () => {
    it('SLO-15 SLO-25 all sessions of the person end, the other application is told, and Shibboleth says that it is complete', async () => {
      const ada = await signedIn('ada');
      const sid = await world.joinRp('ada');
      const page = await ada.visit(world.shibboleth.handler('/LogoutBySoap'));
      expect(page).toMatchObject({ status: 200 });
      expect(page.body).toContain(SUCCESS);
      expect(world.sink.of(RP).at(-1)!.claims).toMatchObject({ sid, sub: 'ada' });
      expectEndedBySp(await world.logoutOf('ada'), 'confirmed');
      await asksForLogin(ada);
    });

    it('SLO-18 SLO-30 one application is down: Shibboleth shows its page of a partial logout in time; told when it is back, the verdict is complete', async () => {
      const ada = await signedIn('ada');
      await world.joinRp('ada');
      world.sink.behave(RP, 503);
      const page = await ada.visit(world.shibboleth.handler('/LogoutBySoap'));
      expect(page.body).toContain(PARTIAL);
      const logout = await world.logoutOf('ada');
      expect(logout).toMatchObject({ verdict: 'pending' });
      world.sink.behave(RP, 200);
      expectEndedBySp(await world.final(logout.id), 'confirmed');
      await asksForLogin(ada);
    });
  });

  describeWith(chromium, 'with a browser', () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await startChromium();
    });
    afterAll(() => browser?.close());

    it.each(['redirect', 'post'] as const)(
      "SLO-40 SLO-47 is told over %s by the person's browser, which needs no cookie for it in a frame of ours; its answer makes the delivery confirmed",
      async (binding) => {
        await world.tell({ bindings: [binding] });
        const page = await signedInWith(browser, 'ada');
        const id = await world.begin('ada');
        await eventually(
          () => world.read(id),
          ({ deliveries }) => deliveries[0]!.outcome === 'awaiting-browser',
        );
        const { url } = await world.done<{ url: string }>(201, 'POST', `/v1/logouts/${id}/browser`);
        const leg = page.waitForRequest((one) => one.url().startsWith(world.shibboleth.handler('/SLO/')));
        await page.goto(url);
        await shows(page, 'You are signed out everywhere.');
        expect(await (await leg).headerValue('cookie')).toBeNull();
        expect(await world.read(id)).toMatchObject({
          verdict: 'complete',
          deliveries: [{ sp: world.sp, outcome: 'confirmed', attempts: [{ channel: `saml-${binding}`, result: 'confirmed' }] }],
        });
        await asksForLoginIn(page);
      },
    );

    it('SLO-19 says PartialLogout by way of the browser, too, when it has no such session (any more)', async () => {
      await world.tell({ bindings: ['redirect'] });
      const page = await signedInWith(browser, 'ada');
      await world.shibboleth.stop();
      await world.shibboleth.start();
      const id = await world.begin('ada');
      const { url } = await world.done<{ url: string }>(201, 'POST', `/v1/logouts/${id}/browser`);
      await page.goto(url);
      await shows(page, 'signed out in part only');
      expect(await world.read(id)).toMatchObject({ verdict: 'partial', deliveries: [{ outcome: 'partial' }] });
    });

    it('ASLO-3 asks over Redirect, as it is shipped, for no answer: all are told, and the person stays on our page', async () => {
      const page = await signedInWith(browser, 'ada');
      await world.joinRp('ada');
      const asked = page.waitForRequest(hasRequest);
      await page.goto(world.shibboleth.handler('/LogoutAsShipped'));
      await shows(page, 'You are signed out everywhere.');
      expect(messageIn((await asked).url())).toContain('<aslo:Asynchronous');
      expectEndedBySp(await world.logoutOf('ada'), 'confirmed');
      await asksForLoginIn(page);
    });

    it('SLO-11 SLO-52 SLO-90 asks for a logout over Redirect, with an EncryptedID: all are told, and the person lands where Shibboleth says that it is complete', async () => {
      const page = await signedInWith(browser, 'ada');
      const sid = await world.joinRp('ada');
      const asked = page.waitForRequest(hasRequest);
      await page.goto(world.shibboleth.handler('/Logout'));
      await shows(page, SUCCESS);
      expect(messageIn((await asked).url())).toContain('<saml:EncryptedID');
      expect(world.sink.of(RP).at(-1)!.claims).toMatchObject({ sid, sub: 'ada' });
      expectEndedBySp(await world.logoutOf('ada'), 'confirmed');
      await asksForLoginIn(page);
    });

    it("SLO-18 SLO-30 the same with one application down: the person lands on Shibboleth's page of a partial logout", async () => {
      const page = await signedInWith(browser, 'ada');
      await world.joinRp('ada');
      world.sink.behave(RP, 503);
      await page.goto(world.shibboleth.handler('/Logout'));
      await shows(page, PARTIAL);
      const logout = await world.logoutOf('ada');
      world.sink.behave(RP, 200);
      expectEndedBySp(await world.final(logout.id), 'confirmed');
      await asksForLoginIn(page);
    });
  });
});

/** Signed in at Shibboleth, anew. */
async function signedIn(user: string): Promise<Person> {
  const person = world.person(user);
  const page = await person.logIn(world.shibboleth.page);
  if (page.status !== 200) throw new Error(`no page for ${user} but ${page.status}: ${page.body}\n${world.shibboleth.log()}`);
  expect(page.body).toMatch(`Signed in: ${user}@acme.example`);
  return person;
}

/** The same in a browser of their own. */
async function signedInWith(browser: Browser, user: string): Promise<Page> {
  const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
  await page.goto(world.shibboleth.page);
  await page.fill('input[name=login]', user);
  await page.click('button');
  await shows(page, `Signed in: ${user}@acme.example`);
  return page;
}

async function shows(page: Page, text: string): Promise<void> {
  try {
    await page.getByText(text).waitFor({ timeout: 10_000 });
  } catch {
    const seen = `${page.url()}:\n${await page.locator('body').innerText()}`;
    throw new Error(`the browser does not show "${text}" but ${seen}\n${world.shibboleth.log()}`);
  }
}

async function asksForLoginIn(page: Page): Promise<void> {
  await page.goto(world.shibboleth.page);
  expect(new URL(page.url()).pathname).toBe('/sso');
}

const hasRequest = (request: BrowserRequest) => new URL(request.url()).pathname.startsWith('/saml/slo/');
const messageIn = (url: string) => inflateRawSync(Buffer.from(new URL(url).searchParams.get('SAMLRequest')!, 'base64')).toString();

async function asksForLogin(person: Person): Promise<void> {
  const page = await person.visit(world.shibboleth.page);
  expect(page).toMatchObject({ status: 302 });
  expect(page.location?.pathname).toBe('/sso');
}

/** By hand: what an identity provider would send that has no Exeunt. Not signed. */
function requestFor(user: string, credential: Credential): string {
  const { nameId, sessionIndex } = world.loginOf(user);
  return makePeer(world.idp.entityId, credential).request({
    nameId: nameId.value,
    nameIdAttributes: `Format="${nameId.format}" NameQualifier="${nameId.nameQualifier}" SPNameQualifier="${nameId.spNameQualifier}"`,
    sessionIndexes: [sessionIndex],
  });
}

async function postSoap(xml: string): Promise<{ status: number; body: string }> {
  const headers = { 'content-type': 'text/xml', soapaction: '""' };
  const answer = await request(world.shibboleth.handler('/SLO/SOAP'), {
    method: 'POST',
    headers,
    body: envelope(xml),
    dispatcher: world.agent(),
  });
  return { status: answer.statusCode, body: await answer.body.text() };
}

const lastSoap = () => world.back.passed.at(-1)!.body;
const certificateIn = (xml: string) => /<ds:X509Certificate>([^<]+)</.exec(xml)![1]!;

function expectEndedBySp(logout: Logout, outcomeOfRp: string): void {
  expect(logout).toMatchObject({ cause: 'user', initiator: 'sp', verdict: 'complete' });
  const bySp = Object.fromEntries(logout.deliveries.map((delivery) => [delivery.sp, delivery]));
  expect(bySp).toMatchObject({ [world.sp]: { outcome: 'confirmed', attempts: [] }, [RP]: { outcome: outcomeOfRp } });
}
