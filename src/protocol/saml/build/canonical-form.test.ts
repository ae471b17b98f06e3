import { DOMParser } from '@xmldom/xmldom';
import { ExclusiveCanonicalization } from 'xml-crypto';
import { makeCredential, readSigned } from '../../../../test/support/saml-peer.js';
import { makeSigner } from '../../../../test/support/saml-signer.js';
import { buildLogoutRequest } from './build-logout-request.js';
import type { LogoutRequestContent } from './build-logout-request.js';
import { buildLogoutResponse } from './build-logout-response.js';
import { signMessage } from './sign-message.js';
import { wrapSoap } from './wrap-soap.js';
import { canonicalForm } from './write-xml.js';

const ALL = ' a&b<c>"d"\'e\' \t\n\r\r\n\u00e9e\u0301\u0085\u2028\uFFFD\u{1F6AA}]]>&amp;&#xD;<!-- --><?pi?> ';
const { certificate } = makeCredential('sp');
const signer = makeSigner();

const head = { id: '_1', issuer: ALL, issueInstant: new Date(0) };
const request = (change: Partial<LogoutRequestContent> = {}) =>
  buildLogoutRequest({ ...head, notOnOrAfter: new Date(1), nameId: { value: ALL }, sessionIndexes: [], ...change });
const response = (change: Partial<Parameters<typeof buildLogoutResponse>[0]> = {}) =>
  buildLogoutResponse({ ...head, inResponseTo: null, status: { code: 'Success', subCode: null, message: null }, ...change });

const MESSAGES: [string, string][] = [
  ['a request with the least', request()],
  [
    'a request with everything',
    request({
      destination: `https://sp.example/?${ALL}`,
      reason: ALL,
      nameId: { value: ALL, format: ALL, nameQualifier: ALL, spNameQualifier: ALL, spProvidedId: ALL },
      sessionIndexes: [ALL, '', '2'],
      asynchronous: true,
    }),
  ],
  ['a request with an empty NameID', request({ nameId: { value: '', format: '' } })],
  ...['http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p', 'http://www.w3.org/2009/xmlenc11#rsa-oaep'].map((method): [string, string] => [
    `a request with an EncryptedID by ${method}`,
    request({ encryptTo: { certificate, methods: [method] } }),
  ]),
  ['a response with the least', response()],
  ['a response with everything', response({ destination: ALL, inResponseTo: ALL, status: { code: ALL, subCode: ALL, message: ALL } })],
];

describe('what the builders write', () => {
  it.each(MESSAGES)('SLO-82 is canonical XML already: %s', (_, xml) => {
    const root = new DOMParser().parseFromString(xml, 'text/xml').documentElement;
    expect(new ExclusiveCanonicalization().process(root, {})).toBe(canonicalForm(xml));
  });

  it.each(MESSAGES)('SLO-82 verifies with xml-crypto once it is signed, alone and in an envelope: %s', (_, xml) => {
    const signed = signMessage(xml, signer);
    expect(readSigned(signed, signer.certificate).id).toBe('_1');
    expect(readSigned(wrapSoap(signed), signer.certificate).issuer).toBe(readSigned(signed, signer.certificate).issuer);
  });

  it('SLO-82 what was not written here is not signed here', () => {
    for (const xml of ['', '<a ID="_1"/>', element('samlp:LogoutRequest', ''), element('LogoutRequest', '<saml:Issuer></saml:Issuer>')]) {
      expect(() => signMessage(xml, signer)).toThrow('only a message that was built here can be signed here');
    }
  });
});

function element(name: string, content: string): string {
  return `<${name} ID="_1">${content}</${name}>`;
}
