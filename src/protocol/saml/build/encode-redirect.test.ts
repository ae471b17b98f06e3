import { createPublicKey, verify } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { makeSigner } from '../../../../test/support/saml-signer.js';
import { encodeRedirect } from './encode-redirect.js';
import type { RedirectMessage } from './encode-redirect.js';
import { signMessage } from './sign-message.js';
import { buildLogoutResponse } from './build-logout-response.js';

const signers = { 'rsa-sha256': makeSigner('rsa-sha256'), 'ecdsa-sha256': makeSigner('ecdsa-sha256') };
// Enough text for base64 of several lines, and for every character of its alphabet.
const xml = `<a>${Array.from({ length: 400 }, (_, n) => String.fromCodePoint(0x100 + n * 7)).join('')}</a>`;
const message: RedirectMessage = {
  location: 'https://sp.example/slo',
  kind: 'request',
  xml,
  relayState: 'a b+c/d=e&f~(g)*',
  signer: signers['rsa-sha256'],
};
const queryOf = (url: string): string => url.slice(url.indexOf('?') + 1);
const namesOf = (url: string): string[] =>
  queryOf(url)
    .split('&')
    .map((part) => part.split('=')[0]!);

describe('encodeRedirect', () => {
  it('SLO-41 carries the message by raw DEFLATE and base64 on one line, percent-encoded', () => {
    const [value] = /(?<=SAMLRequest=)[^&]*/.exec(encodeRedirect(message))!;
    expect(value).toMatch(/^(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+$/);
    const base64 = decodeURIComponent(value);
    expect(base64).toMatch(/^[A-Za-z0-9+/]+={0,2}$/);
    expect(inflateRawSync(Buffer.from(base64, 'base64')).toString()).toBe(xml);
  });

  it('SLO-41 refuses a message with a signature of its own', () => {
    const response = {
      id: '_1',
      issuer: 'i',
      issueInstant: new Date(0),
      inResponseTo: null,
      status: { code: 'Success', subCode: null, message: null },
    };
    const signed = signMessage(buildLogoutResponse(response), message.signer);
    expect(() => encodeRedirect({ ...message, xml: signed })).toThrow('SLO-41');
  });

  it('SLO-42 says nothing of the encoding, which is the one that everybody knows', () => {
    expect(encodeRedirect(message)).not.toContain('SAMLEncoding');
  });

  it.each(['rsa-sha256', 'ecdsa-sha256'] as const)('SLO-43 signs the encoded parameters in their order with %s', (algorithm) => {
    const signer = signers[algorithm];
    const query = queryOf(encodeRedirect({ ...message, signer }));
    expect(namesOf(`?${query}`)).toEqual(['SAMLRequest', 'RelayState', 'SigAlg', 'Signature']);
    const [signed, signature] = query.split('&Signature=') as [string, string];
    const key = { key: createPublicKey(signer.certificate), dsaEncoding: 'ieee-p1363' as const };
    const value = Buffer.from(decodeURIComponent(signature), 'base64');
    expect(verify('sha256', Buffer.from(signed), key, value)).toBe(true);
    expect(verify('sha256', Buffer.from(signed.replace('RelayState=a', 'RelayState=b')), key, value)).toBe(false);
    expect(new URLSearchParams(query).get('SigAlg')).toBe(`http://www.w3.org/2001/04/xmldsig-more#${algorithm}`);
    expect(new URLSearchParams(query).get('RelayState')).toBe(message.relayState);
  });

  it('SLO-43 leaves RelayState out of everything where there is none, and keeps an empty one', () => {
    expect(namesOf(encodeRedirect({ ...message, relayState: null }))).toEqual(['SAMLRequest', 'SigAlg', 'Signature']);
    expect(queryOf(encodeRedirect({ ...message, relayState: '' }))).toContain('&RelayState=&SigAlg=');
  });

  it('SLO-43 calls an answer SAMLResponse', () => {
    expect(namesOf(encodeRedirect({ ...message, kind: 'response' }))[0]).toBe('SAMLResponse');
  });

  it.each([
    ['https://sp.example/slo', 'https://sp.example/slo?SAMLRequest='],
    ['https://sp.example/slo?app=1&x', 'https://sp.example/slo?app=1&x&SAMLRequest='],
    ['https://sp.example/slo?', 'https://sp.example/slo?SAMLRequest='],
    ['https://sp.example/slo?app=1&', 'https://sp.example/slo?app=1&SAMLRequest='],
    ['https://sp.example/slo#part', 'https://sp.example/slo?SAMLRequest='],
  ])('SLO-40 keeps the query of %s', (location, start) => {
    expect(encodeRedirect({ ...message, location })).toMatch(new RegExp(`^${start.replace(/[.?+]/g, '\\$&')}`));
  });

  it('SLO-51 never sends a RelayState of ours with more than 80 bytes, whatever its characters', () => {
    expect(() => encodeRedirect({ ...message, relayState: '\u00fc'.repeat(40) })).not.toThrow();
    expect(() => encodeRedirect({ ...message, relayState: '\u00fc'.repeat(41) })).toThrow(
      'SLO-51: a RelayState has at most 80 bytes, this has 82',
    );
  });

  it('SLO-52 gives a RelayState of the peer back as it came', () => {
    const relayState = 'x'.repeat(200);
    expect(new URLSearchParams(queryOf(encodeRedirect({ ...message, kind: 'response', relayState }))).get('RelayState')).toBe(relayState);
  });
});
