import { deflateRawSync } from 'node:zlib';
import type { SamlMessageRefused } from '../saml-message-refused.js';
import { parsePostMessage } from './parse-post-message.js';

const XML = '<?xml version="1.0"?>\n<a>\u00e9</a>';
const base64 = Buffer.from(XML).toString('base64');

function refusalOf(fields: Record<string, unknown>): SamlMessageRefused {
  try {
    parsePostMessage(fields);
  } catch (error) {
    return error as SamlMessageRefused;
  }
  throw new Error('it was taken');
}

describe('SLO-47: a message in a form', () => {
  it('takes a request or a response, with or without RelayState, and does not look at other fields', () => {
    const common = { binding: 'post', xml: XML, querySignature: null };
    expect(parsePostMessage({ SAMLRequest: base64, RelayState: 'r', x: ['y'] })).toEqual({ ...common, kind: 'request', relayState: 'r' });
    expect(parsePostMessage({ SAMLResponse: base64 })).toEqual({ ...common, kind: 'response', relayState: null });
  });

  it('SLO-47 takes base64 that was wrapped, and a byte order mark', () => {
    expect(parsePostMessage({ SAMLRequest: base64.replace(/.{10}/g, '$&\r\n\t ') }).xml).toBe(XML);
    expect(parsePostMessage({ SAMLRequest: Buffer.from(`\ufeff${XML}`).toString('base64') }).xml).toBe(XML);
  });

  it.each([
    ['nothing', {}],
    ['both', { SAMLRequest: base64, SAMLResponse: base64 }],
    ['two', { SAMLRequest: [base64, base64] }],
    ['an object', { SAMLRequest: {} }],
    ['two RelayStates', { SAMLRequest: base64, RelayState: ['a', 'b'] }],
    ['an inherited field', Object.create({ SAMLRequest: base64 }) as Record<string, unknown>],
  ])('SLO-45 refuses %s', (_, fields) => {
    expect(refusalOf(fields)).toMatchObject({ code: 'malformed' });
  });

  it.each(['', '!', base64.slice(1), `${base64}!`, `${base64}=`, Buffer.from([255, 254, 253]).toString('base64url'), XML])(
    'SLOX-17 refuses what is not base64: %j',
    (text) => {
      expect(refusalOf({ SAMLRequest: text })).toMatchObject({ code: 'malformed', clause: 'SLO-47' });
    },
  );

  it('SLO-47, SLOX-17 refuses what was packed', () => {
    expect(refusalOf({ SAMLRequest: deflateRawSync(XML).toString('base64') })).toMatchObject({ code: 'malformed', clause: 'SLO-47' });
  });

  it('SLOX-17 refuses what is too large before it is decoded', () => {
    expect(refusalOf({ SAMLRequest: 'A'.repeat(524_289) })).toMatchObject({ code: 'too_large' });
  });
});
