import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { AttackOnTheWire } from '../conformance/saml/attacks/load-corpus.js';
import { parameterOf } from '../conformance/saml/attacks/wire.js';
import { mutateTree } from './mutate-tree.js';
import { splice, TEXT_MUTATIONS } from './mutate-text.js';
import type { Random } from './random.js';

export type Message = Pick<AttackOnTheWire, 'binding' | 'kind' | 'http'>;

/** A message that came about from another one by a few changes: of its XML, as text or as a tree, or of what is around it on the wire. */
export function mutateMessage(message: Message, random: Random): Message {
  const { http } = message;
  if (random.next() < 0.2) return { ...message, http: mutateWire(http, random) };
  if (http.method === 'GET') return { ...message, http: { method: 'GET', query: inQuery(http.query, random) } };
  if (message.binding === 'soap') return { ...message, http: { ...http, body: mutateXml(http.body, random) } };
  const fields = new URLSearchParams(http.body);
  const name = fields.has('SAMLResponse') ? 'SAMLResponse' : 'SAMLRequest';
  const xml = Buffer.from(fields.get(name) ?? '', 'base64').toString('utf8');
  fields.set(name, Buffer.from(mutateXml(xml, random), 'utf8').toString('base64'));
  return { ...message, http: { ...http, body: fields.toString() } };
}

function mutateXml(xml: string, random: Random): string {
  let changed = random.next() < 0.4 ? mutateTree(xml, random) : xml;
  for (let n = random.below(4); n > 0; n -= 1) changed = random.of(TEXT_MUTATIONS)(changed, random);
  return changed;
}

function mutateWire(http: Message['http'], random: Random): Message['http'] {
  const change = (text: string) => {
    let changed = text;
    for (let n = 1 + random.below(3); n > 0; n -= 1) changed = random.of(WIRE_MUTATIONS)(changed, random);
    return changed;
  };
  return http.method === 'GET' ? { method: 'GET', query: change(http.query) } : { ...http, body: change(http.body) };
}

const PARAMETERS = ['SAMLRequest', 'SAMLResponse', 'RelayState', 'SigAlg', 'Signature', 'SAMLEncoding', 'SAML%52equest', '__proto__', 'x'];

const WIRE_MUTATIONS: readonly ((text: string, random: Random) => string)[] = [
  (text, random) =>
    splice(text, random.below(text.length), 1, random.of(['%', '+', '&', '=', ';', '%00', '%0a', '%ff', '%20', '?', '#', 'A'])),
  (text, random) => splice(text, random.below(text.length), 1 + random.below(30), ''),
  (text, random) => `${text}&${random.of(PARAMETERS)}=${random.of(['', 'x', '%00', 'https%3A%2F%2Fattacker.example'])}`,
  (text, random) => [...text.split('&'), random.of(text.split('&'))].join('&'),
  (text, random) =>
    text
      .split('&')
      .sort(() => random.next() - 0.5)
      .join('&'),
  (text, random) => without(text.split('&'), random).join('&'),
  (text, random) => atEscape(text, random, (escape) => escape.toLowerCase()),
  (text, random) => atEscape(text, random, (escape) => decodeURIComponent(escape)),
  (text, random) => text.replace(random.of(PARAMETERS), () => random.of(PARAMETERS)),
  (text, random) => text.slice(0, random.below(text.length)),
];

function without(pairs: string[], random: Random): string[] {
  return pairs.filter((_, n) => n !== random.below(pairs.length));
}

function atEscape(text: string, random: Random, change: (escape: string) => string): string {
  const escapes = Array.from(text.matchAll(/%[0-7][0-9A-Fa-f]/g));
  if (escapes.length === 0) return text;
  const { index } = random.of(escapes);
  return splice(text, index, 3, change(text.slice(index, index + 3)));
}

/** The message inside the query, packed again; the signature does not fit any more unless nothing was changed. */
function inQuery(query: string, random: Random): string {
  const parameters = new URLSearchParams(query);
  const name = parameters.has('SAMLResponse') ? parameterOf('response') : parameterOf('request');
  const packed = Buffer.from(parameters.get(name) ?? '', 'base64');
  if (random.next() < 0.3)
    return query.replace(
      /^(SAML\w+)=[^&]*/,
      (_, first: string) => `${first}=${encodeURIComponent(flipped(packed, random).toString('base64'))}`,
    );
  let xml: string;
  try {
    xml = inflateRawSync(packed, { maxOutputLength: 1_000_000 }).toString('utf8');
  } catch {
    return query;
  }
  const again = deflateRawSync(mutateXml(xml, random)).toString('base64');
  return query.replace(/^(SAML\w+)=[^&]*/, (_, first: string) => `${first}=${encodeURIComponent(again)}`);
}

function flipped(bytes: Buffer, random: Random): Buffer {
  const changed = Buffer.from(bytes);
  for (let n = 1 + random.below(4); n > 0 && changed.length > 0; n -= 1) changed[random.below(changed.length)]! ^= 1 << random.below(8);
  return changed;
}
