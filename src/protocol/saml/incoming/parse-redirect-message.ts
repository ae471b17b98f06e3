import { SamlMessageRefused } from '../saml-message-refused.js';
import type { IncomingMessage } from '../types.js';
import { decodeBase64 } from './decode-base64.js';
import { decodeUtf8 } from './decode-utf8.js';
import { inflate } from './inflate.js';

const NAMES = ['SAMLRequest', 'SAMLResponse', 'RelayState', 'SigAlg', 'Signature', 'SAMLEncoding'] as const;
type Name = (typeof NAMES)[number];

/** @see SLO-42 */
const DEFLATE = 'urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE';

/**
 * A message in the query of a URL. The octets that the signature is over are taken as they came, in the order that the binding wants,
 * whatever order they came in: a query that was decoded and encoded again is another one.
 *
 * @param rawQuery what stands behind the question mark, as it came on the wire.
 * @returns `querySignature` null when there is neither SigAlg nor Signature: the verifier refuses that.
 * @throws SamlMessageRefused `malformed`, `unsigned`, `unsupported_binding`, `too_large`, `forbidden_xml`
 * @see SLO-41 to SLO-45
 */
export function parseRedirectMessage(rawQuery: string): IncomingMessage {
  const raw = rawParameters(rawQuery);
  const name = messageParameter(raw);
  const encoding = raw.get('SAMLEncoding');
  if (encoding !== undefined && decodeText('SAMLEncoding', encoding) !== DEFLATE) {
    throw new SamlMessageRefused('unsupported_binding', 'SLO-42', `SAMLEncoding must be ${DEFLATE}, or absent`);
  }
  const querySignature = querySignatureOf(raw, name);
  const relayState = raw.get('RelayState');
  return {
    binding: 'redirect',
    kind: name === 'SAMLRequest' ? 'request' : 'response',
    xml: decodeUtf8(inflate(decodeBinary(name, raw.get(name)!))),
    relayState: relayState === undefined ? null : decodeText('RelayState', relayState),
    querySignature,
  };
}

/** The parameters of the binding with their values as they came. All others are somebody else's. */
function rawParameters(rawQuery: string): Map<Name, string> {
  const raw = new Map<Name, string>();
  for (const pair of rawQuery.split('&')) {
    const at = pair.indexOf('=');
    const rawName = at < 0 ? pair : pair.slice(0, at);
    const name = NAMES.find((one) => one === tryDecode(rawName));
    if (name === undefined) continue;
    // Who reads names as they are written, and who decodes them first, would see two different queries.
    if (rawName !== name) throw malformed('SLO-45', `the name of ${name} is percent-encoded`);
    if (raw.has(name)) throw malformed('SLO-45', `${name} stands in the query twice`);
    raw.set(name, at < 0 ? '' : pair.slice(at + 1));
  }
  return raw;
}

function messageParameter(raw: Map<Name, string>): 'SAMLRequest' | 'SAMLResponse' {
  if (raw.has('SAMLRequest') && raw.has('SAMLResponse')) {
    throw malformed('SLO-45', 'the query has both a SAMLRequest and a SAMLResponse');
  }
  if (raw.has('SAMLRequest')) return 'SAMLRequest';
  if (raw.has('SAMLResponse')) return 'SAMLResponse';
  throw malformed('SLO-41', 'the query has neither a SAMLRequest nor a SAMLResponse');
}

function querySignatureOf(raw: Map<Name, string>, message: Name): IncomingMessage['querySignature'] {
  if (!raw.has('SigAlg') && !raw.has('Signature')) return null;
  for (const name of ['SigAlg', 'Signature'] as const) {
    if (!raw.get(name)) {
      const what = raw.has(name) ? `${name} is empty` : `${name} is missing`;
      throw new SamlMessageRefused('unsigned', 'SLO-45', `${what}: a signed query has both SigAlg and Signature`);
    }
  }
  const signed = [message, 'RelayState', 'SigAlg'].filter((name): name is Name => raw.has(name as Name));
  return {
    signedOctets: signed.map((name) => `${name}=${raw.get(name)!}`).join('&'),
    sigAlg: decodeText('SigAlg', raw.get('SigAlg')!),
    signature: decodeBinary('Signature', raw.get('Signature')!),
  };
}

/** `+` is a blank in a query. */
function decodeText(name: Name, raw: string): string {
  const text = tryDecode(raw.replaceAll('+', '%20'));
  if (text === null) throw malformed('SLO-44', `${name} is not percent-encoded UTF-8`);
  return text;
}

/** `+` is a digit of base64, which has no blanks: it may have been left as it is. */
function decodeBinary(name: Name, raw: string): Buffer {
  const text = tryDecode(raw);
  const bytes = text === null ? null : decodeBase64(text);
  if (bytes === null) throw malformed('SLO-41', `${name} is not base64`);
  return bytes;
}

function tryDecode(raw: string): string | null {
  try {
    return decodeURIComponent(raw);
  } catch {
    return null;
  }
}

function malformed(clause: string, description: string): SamlMessageRefused {
  return new SamlMessageRefused('malformed', clause, description);
}
