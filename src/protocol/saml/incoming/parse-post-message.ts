import { SamlMessageRefused } from '../saml-message-refused.js';
import type { IncomingMessage } from '../types.js';
import { MESSAGE_LIMITS } from '../xml/index.js';
import { decodeBase64 } from './decode-base64.js';
import { decodeUtf8 } from './decode-utf8.js';

/** Base64 is a third longer, and may be wrapped. */
const LONGEST = MESSAGE_LIMITS.bytes * 2;

/**
 * A message in the fields of a form. Fields that are not those of the binding are not looked at.
 *
 * @param fields as a parser of the framework left them: a field that stood there twice is an array.
 * @throws SamlMessageRefused `malformed`, `too_large`, `forbidden_xml`
 * @see SLO-47, SLO-49
 */
export function parsePostMessage(fields: Record<string, unknown>): IncomingMessage {
  const own = (name: string) => (Object.hasOwn(fields, name) ? fields[name] : undefined);
  const request = own('SAMLRequest');
  const response = own('SAMLResponse');
  if (request !== undefined && response !== undefined) throw malformed('SLO-45', 'the form has both a SAMLRequest and a SAMLResponse');
  if (request === undefined && response === undefined) {
    throw malformed('SLO-47', 'the form has neither a SAMLRequest nor a SAMLResponse');
  }
  const kind = request !== undefined ? 'request' : 'response';
  const name = kind === 'request' ? 'SAMLRequest' : 'SAMLResponse';
  const relayState = own('RelayState');
  return {
    binding: 'post',
    kind,
    xml: decodeMessage(name, single(name, request ?? response)),
    relayState: relayState === undefined ? null : single('RelayState', relayState),
    querySignature: null,
  };
}

function single(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw malformed('SLO-45', `${name} must stand in the form once`);
}

function decodeMessage(name: string, text: string): string {
  if (text.length > LONGEST) throw new SamlMessageRefused('too_large', 'SLOX-17', `${name} is longer than ${LONGEST} characters`);
  const bytes = decodeBase64(text);
  if (bytes === null) throw malformed('SLO-47', `${name} is not base64`);
  // What is packed is no text: decoding would tell, but not why.
  if (!/^(?:\ufeff)?[ \t\r\n]*</.test(bytes.subarray(0, 200).toString('utf8'))) {
    throw malformed('SLO-47', `${name} is not XML in base64; over POST a message is not packed with DEFLATE`);
  }
  return decodeUtf8(bytes);
}

function malformed(clause: string, description: string): SamlMessageRefused {
  return new SamlMessageRefused('malformed', clause, description);
}
