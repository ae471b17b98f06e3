import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { makePeer, envelope, newId, readSigned } from '../support/saml-peer.js';
import type { SamlPeer } from '../support/saml-peer.js';
import { built } from './built.js';
import { Stage } from './stage.js';

jest.setTimeout(240_000);

/** Short, so that what a killed worker held is free again within seconds. */
const CONFIG = `
saml:
  soapAnswerWithinMs: 300
dispatch:
  attemptTimeoutMs: 1500
  attemptTimeoutLimitMs: 1900
  leaseSeconds: 2
  sweepIntervalMs: 200
  sweepGraceSeconds: 1
  retryDelaysMs: [200, 500, 1000]
  breakerOpenMs: 500
log:
  level: warn
`;
const IDP = 'saml-idp';
const PEOPLE = 120;
const AT_ONCE = 6;
const KILLS = 4;

/** An answer that an SP got, and believed. */
interface Answered {
  person: number;
  status: string;
}

let stage: Stage;
let sp: SamlPeer;
let idp: SamlPeer;
beforeAll(async () => {
  await built();
  stage = await Stage.build({ backend: 'postgres', sps: 1, workers: 2, config: CONFIG });
  sp = makePeer('https://sp.chaos.example/saml');
  idp = makePeer('https://idp.chaos.example/saml');
  const metadataXml = idp.metadata({ role: 'idp', endpoints: [{ binding: 'soap', location: 'https://idp.chaos.example/slo' }] });
  await stage.api.call('POST', '/v1/identity-providers', {
    id: IDP,
    name: IDP,
    oidc: { issuer: 'https://saml-op.chaos.example' },
    saml: { metadataXml },
  });
  await register('saml-sp', {
    type: 'saml',
    metadataXml: sp.metadata({ endpoints: [{ binding: 'soap', location: `${stage.sink.url}/none` }] }),
  });
  await register('rp', { type: 'oidc-backchannel', clientId: 'rp', uri: stage.sink.uriOf('rp'), signingAlg: 'ES256' });
  await stage.sink.behave({ failing: 0.1, slow: 0.3, slowMs: 300 });
}, 200_000);
afterAll(() => stage.strike());

async function register(id: string, channel: object): Promise<void> {
  await stage.api.call('POST', '/v1/service-providers', { id, name: id, idp: IDP, channels: [channel] });
}

/** The SP logs a person out over SOAP, with a new message each time, until it is answered. */
async function logOut(person: number): Promise<Answered> {
  for (;;) {
    const id = newId();
    const request = sp.sign(sp.request({ id, nameId: `person-${person}`, sessionIndexes: [`_${person}`] }));
    const response = await fetch(`${stage.apiProcess.url}/saml/slo/${IDP}/soap`, {
      method: 'POST',
      headers: { 'content-type': 'text/xml', soapaction: '""' },
      body: envelope(request),
      signal: AbortSignal.timeout(20_000),
    }).catch(() => null);
    const text = await response?.text().catch(() => null);
    if (response?.status === 200 && text) {
      const [certificate] = await signingCertificates();
      const answer = readSigned(text, certificate!);
      expect(answer).toMatchObject({ root: 'LogoutResponse', inResponseTo: id, issuer: idp.entityId });
      // Our own fault at the moment, the database is away, say: it is asked again, as an SP would.
      if (!answer.status!.startsWith('Responder')) return { person, status: answer.status! };
    }
    await delay(50);
  }
}

let known: Promise<string[]> | undefined;
const signingCertificates = (): Promise<string[]> =>
  (known ??= stage.api
    .call<{ items: { use: string; certificate: string }[] }>('GET', `/v1/identity-providers/${IDP}/saml-keys`)
    .then(({ items }) => items.filter((key) => key.use === 'signing').map((key) => key.certificate)));

describe('a SAML logout that was answered is not lost', () => {
  it('though the API and the workers are killed with -9 while they come in', async () => {
    for (let from = 1; from <= PEOPLE; from += 40) {
      const events = Array.from({ length: 40 }, (_, n) => from + n).flatMap((person) => [
        { id: `in-${person}`, type: 'session.started', idp: IDP, handles: { sid: `p${person}`, sub: `person-${person}` } },
        {
          id: `saml-${person}`,
          type: 'session.joined',
          idp: IDP,
          parent: { sid: `p${person}` },
          sp: 'saml-sp',
          handles: { nameId: `person-${person}`, sessionIndex: `_${person}` },
        },
        { id: `rp-${person}`, type: 'session.joined', idp: IDP, parent: { sid: `p${person}` }, sp: 'rp', handles: {} },
      ]);
      await stage.api.call('POST', '/v1/events', { events });
    }

    const waiting = Array.from({ length: PEOPLE }, (_, n) => n + 1);
    const answered: Answered[] = [];
    const caller = async (): Promise<void> => {
      for (let person = waiting.shift(); person !== undefined; person = waiting.shift()) answered.push(await logOut(person));
    };
    const callers = Promise.all(Array.from({ length: AT_ONCE }, caller));
    const killer = (async () => {
      for (let kill = 1; kill <= KILLS; kill++) {
        const before = answered.length;
        // In the middle of the work: after some more answers, however fast the machine is.
        while (answered.length < Math.min(before + PEOPLE / (KILLS + 2), PEOPLE)) await delay(5);
        await (kill % 2 === 0 ? stage.workers[0]! : stage.apiProcess).kill();
      }
    })();
    await Promise.all([callers, killer]);
    await stage.drained(120_000);

    expect(answered.map(({ person }) => person).sort((a, b) => a - b)).toEqual(Array.from({ length: PEOPLE }, (_, n) => n + 1));
    expect(new Set(answered.map(({ status }) => status))).toEqual(new Set(['Success', 'Success/PartialLogout']));
    expect(await stage.rows(`SELECT 1 FROM sessions WHERE idp_id = $1 AND state = 'live'`, [IDP])).toEqual([]);
    const logouts = await stage.rows<{ verdict: string; n: number }>(
      'SELECT verdict, count(*)::int AS n FROM logouts WHERE idp_id = $1 GROUP BY 1',
      [IDP],
    );
    expect(logouts).toEqual([{ verdict: 'complete', n: PEOPLE }]);
    const told = new Set(
      (await stage.sink.tokens()).filter((token) => token.sp === 'rp' && token.answered && token.status === 200).map((token) => token.sid),
    );
    expect(told.size).toBe(PEOPLE);
    expect(stage.apiProcess.kills + stage.workers[0]!.kills).toBe(KILLS);
    expect(stage.processes.flatMap((process) => process.crashes)).toEqual([]);
  });
});
