import { isDeepStrictEqual } from 'node:util';
import { SamlMessageRefused, SoapFault } from '#protocol/saml';
import type { VerifiedLogoutRequest, VerifiedLogoutResponse } from '#protocol/saml';
import { loadCorpus, onTheWire } from '../conformance/saml/attacks/load-corpus.js';
import type { AttackOnTheWire } from '../conformance/saml/attacks/load-corpus.js';
import { overPost, overRedirect, overSoap } from '../conformance/saml/attacks/attack.js';
import { makeAttacks, makeOriginals } from '../conformance/saml/attacks/make-corpus.js';
import { signed } from '../conformance/saml/attacks/sign.js';
import { envelope, query } from '../conformance/saml/attacks/wire.js';
import { signable } from '../conformance/saml/attacks/write-message.js';
import { WORLD } from '../conformance/saml/attacks/world.js';
import { judge } from '../conformance/saml/judge.js';
import { mutateMessage } from './mutate-message.js';
import type { Message } from './mutate-message.js';
import { Random } from './random.js';

/** Longer than that for one message is a fault. Milliseconds. */
const LONGEST_MS = 1_000;
/** Some are changed again and again. */
const CHANGES_ON_TOP = 0.3;
const MOST_FINDINGS = 20;

export interface FuzzOptions {
  seed: number;
  /** It ends with whichever comes first. */
  executions: number;
  minutes: number;
}

export interface Finding {
  what: 'crash' | 'wrong acceptance' | 'hang';
  /** The document that the message came about from. */
  from: string;
  execution: number;
  detail: string;
  message: Message;
}

export interface FuzzReport {
  executions: number;
  /** What was believed, and says what the original says: blanks in tags, other quotes. */
  harmless: number;
  /** By code. */
  refusals: Map<string, number>;
  slowestMs: number;
  findings: Finding[];
}

/**
 * Changes valid messages and attacks by chance, and judges what comes of it. A message is believed rightly only when everything that was
 * read from it was signed: is as it was in one of the originals.
 */
export async function fuzzSamlVerifier(options: FuzzOptions, onProgress?: (report: FuzzReport) => void): Promise<FuzzReport> {
  const random = new Random(options.seed);
  const originals = makeOriginals(WORLD).map(onTheWire);
  // The largest ones are slow, and say nothing that smaller ones do not.
  const attacks = loadCorpus().filter(({ text, refusal, http }) => refusal !== null && text.length < 20_000 && sizeOf(http) < 100_000);
  const right = [...(await Promise.all(originals.map(readout))), ...(await whatThePeerSigned())];
  const report: FuzzReport = { executions: 0, harmless: 0, refusals: new Map(), slowestMs: 0, findings: [] };
  const end = performance.now() + options.minutes * 60_000;
  let shown = performance.now();
  while (report.executions < options.executions && performance.now() < end && report.findings.length < MOST_FINDINGS) {
    const from = random.next() < 0.6 ? random.of(originals) : random.of(attacks);
    let message: Message = mutateMessage(from, random);
    while (random.next() < CHANGES_ON_TOP) message = mutateMessage(message, random);
    await execute(message, from, right, report);
    if (performance.now() - shown > 10_000) {
      shown = performance.now();
      onProgress?.(report);
    }
  }
  return report;
}

/**
 * Some attacks are messages that the peer signed in truth, with something added: when chance takes it away again, they are believed, and
 * rightly so.
 */
async function whatThePeerSigned(): Promise<unknown[]> {
  const signedTexts = new Set<string>();
  makeAttacks({ ...WORLD, peer: { ...WORLD.peer, signedTexts } });
  const { peer } = WORLD;
  const messages = Array.from(signedTexts).filter((text) => text.length < 20_000 && / ID="[^"]/.test(text));
  const read = messages.map(async (text) => {
    const kind = text.includes('LogoutResponse') ? 'response' : 'request';
    const xml = signed(signable(text), peer);
    const all = [
      overPost('', '', kind, null, xml),
      overSoap('', '', kind, null, envelope(xml)),
      ...[undefined, null].map((relayState) => overRedirect('', '', kind, null, query(text, kind, peer, { relayState }))),
    ];
    const readouts = await Promise.allSettled(all.map((one) => readout(onTheWire(one))));
    return readouts.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  });
  return (await Promise.all(read)).flat();
}

async function execute(message: Message, from: AttackOnTheWire, right: readonly unknown[], report: FuzzReport): Promise<void> {
  report.executions += 1;
  const found = (what: Finding['what'], detail: string) =>
    report.findings.push({ what, from: from.name, execution: report.executions, detail, message });
  const begin = performance.now();
  try {
    const read = await readout(message);
    if (right.some((one) => isDeepStrictEqual(one, read))) report.harmless += 1;
    else found('wrong acceptance', JSON.stringify(read));
  } catch (error) {
    const code = error instanceof SamlMessageRefused ? error.code : error instanceof SoapFault ? `fault ${error.faultCode}` : null;
    if (code === null) found('crash', error instanceof Error ? (error.stack ?? error.message) : String(error));
    else report.refusals.set(code, (report.refusals.get(code) ?? 0) + 1);
  }
  const took = performance.now() - begin;
  report.slowestMs = Math.max(report.slowestMs, took);
  if (took > LONGEST_MS) found('hang', `${took.toFixed(0)} ms`);
}

/** All that was read, but for the RelayState, which POST does not sign. */
async function readout(message: Message): Promise<unknown> {
  const verified: VerifiedLogoutRequest | VerifiedLogoutResponse = await judge(message);
  return verified.binding === 'post' ? { ...verified, relayState: null } : verified;
}

function sizeOf(http: AttackOnTheWire['http']): number {
  return http.method === 'GET' ? http.query.length : http.body.length;
}
