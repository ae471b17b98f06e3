import { deflateRawSync, deflateSync } from 'node:zlib';
import type { SamlMessageRefused } from '../saml-message-refused.js';
import { parseRedirectMessage } from './parse-redirect-message.js';

const XML = '<a>\u00e9</a>';
const encode = encodeURIComponent;
const packed = (xml = XML) => encode(deflateRawSync(xml).toString('base64'));
const QUERY = `SAMLRequest=${packed()}&RelayState=a%20b&SigAlg=urn%3Ax&Signature=AAAA`;

function refusalOf(query: string): SamlMessageRefused {
  try {
    parseRedirectMessage(query);
  } catch (error) {
    return error as SamlMessageRefused;
  }
  throw new Error('it was taken');
}

describe('SLO-41 to SLO-45: a message in a query', () => {
  it('SLO-41 unpacks it', () => {
    expect(parseRedirectMessage(QUERY)).toEqual({
      binding: 'redirect',
      kind: 'request',
      xml: XML,
      relayState: 'a b',
      querySignature: { signedOctets: QUERY.replace(/&Signature.*/, ''), sigAlg: 'urn:x', signature: Buffer.alloc(3) },
    });
    expect(parseRedirectMessage(`SAMLResponse=${packed()}`)).toMatchObject({ kind: 'response', relayState: null, querySignature: null });
  });

  it('SLO-44, SLO-96 keeps the octets as they came: lower-case escapes, a plus, unneeded escapes', () => {
    const value = packed('<a>???>>></a>').replace(/%3D|%2F|%2B/g, (escape) => escape.toLowerCase());
    const signedOctets = `SAMLRequest=${value}&RelayState=a+b%2f%41&SigAlg=urn:x`;
    const message = parseRedirectMessage(`${signedOctets}&Signature=AAAA`);
    expect(message.querySignature!.signedOctets).toBe(signedOctets);
    expect(message).toMatchObject({ relayState: 'a b/A', xml: '<a>???>>></a>' });
  });

  it('SLO-43 puts the octets in their order, whatever order they came in, and leaves out all else', () => {
    const shuffled = `x=1&Signature=AAAA&SigAlg=urn%3Ax&SAMLEncoding=${encode('urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE')}&RelayState=r&SAMLResponse=${packed()}&y`;
    expect(parseRedirectMessage(shuffled).querySignature!.signedOctets).toBe(`SAMLResponse=${packed()}&RelayState=r&SigAlg=urn%3Ax`);
  });

  it('SLO-43 leaves RelayState out when there is none, and keeps one that is empty', () => {
    const rest = `SigAlg=a&Signature=AAAA`;
    expect(parseRedirectMessage(`SAMLRequest=${packed()}&${rest}`)).toMatchObject({
      relayState: null,
      querySignature: { signedOctets: `SAMLRequest=${packed()}&SigAlg=a` },
    });
    expect(parseRedirectMessage(`SAMLRequest=${packed()}&RelayState=&${rest}`)).toMatchObject({
      relayState: '',
      querySignature: { signedOctets: `SAMLRequest=${packed()}&RelayState=&SigAlg=a` },
    });
  });

  it('takes a plus of base64 that was left as it is, and line breaks', () => {
    const signature = Buffer.from('fbff', 'hex').toString('base64');
    expect(signature).toContain('+');
    expect(parseRedirectMessage(QUERY.replace('AAAA', signature)).querySignature!.signature).toEqual(Buffer.from('fbff', 'hex'));
    expect(parseRedirectMessage(QUERY.replace('AAAA', 'AA%0D%0AAA')).querySignature!.signature).toEqual(Buffer.alloc(3));
  });

  it.each(['SAMLRequest', 'RelayState', 'SigAlg', 'Signature', 'SAMLEncoding', 'SAMLResponse'])('SLO-45 refuses %s twice', (name) => {
    const query = `${QUERY}&SAMLEncoding=`.replace('SAMLRequest', name === 'SAMLResponse' ? name : 'SAMLRequest');
    expect(refusalOf(`${query}&${name}=x`)).toMatchObject({ code: 'malformed', clause: 'SLO-45' });
    expect(refusalOf(`${query}&${name}`)).toMatchObject({ code: 'malformed', clause: 'SLO-45' });
  });

  it('SLO-45 refuses both a request and a response, and a name that is written otherwise', () => {
    expect(refusalOf(`${QUERY}&SAMLResponse=x`)).toMatchObject({ code: 'malformed', clause: 'SLO-45' });
    expect(refusalOf(`${QUERY}&Relay%53tate=x`)).toMatchObject({ code: 'malformed', clause: 'SLO-45' });
    expect(refusalOf('x=1')).toMatchObject({ code: 'malformed' });
  });

  it.each(['SigAlg=urn%3Ax', 'Signature=AAAA', 'SigAlg=urn%3Ax&Signature=', 'SigAlg=&Signature=AAAA', 'SigAlg&Signature'])(
    'SLO-45 refuses half a signature: %s',
    (rest) => {
      expect(refusalOf(`SAMLRequest=${packed()}&${rest}`)).toMatchObject({ code: 'unsigned', clause: 'SLO-45' });
    },
  );

  it('SLO-42 refuses another encoding', () => {
    expect(refusalOf(`${QUERY}&SAMLEncoding=urn%3Ax`)).toMatchObject({ code: 'unsupported_binding', clause: 'SLO-42' });
  });

  it.each([
    ['zlib', deflateSync(XML)],
    ['plain text', Buffer.from(XML)],
    ['half of it', deflateRawSync(XML).subarray(0, -3)],
    ['something behind', Buffer.concat([deflateRawSync(XML), Buffer.alloc(4)])],
  ])('SLO-41, SLOX-17 refuses %s', (_, bytes) => {
    expect(refusalOf(`SAMLRequest=${encode(bytes.toString('base64'))}`)).toMatchObject({ code: 'malformed', clause: 'SLO-41' });
  });

  it.each(['!', 'A', 'AA-_', '%', '%ff', 'AAAA%00', ''])('SLO-41 refuses what is not base64: %j', (value) => {
    expect(refusalOf(`SAMLRequest=${value}`)).toMatchObject({ code: 'malformed' });
  });

  it('SLO-45, SLOX-17 never unpacks more than the limit', () => {
    const bomb = packed('a'.repeat(200_000_000));
    for (let n = 0; n < 20; n += 1) expect(refusalOf(`SAMLRequest=${bomb}`)).toMatchObject({ code: 'too_large', clause: 'SLO-45' });
  });

  it('SLO-44, SLOX-17 refuses a RelayState and a message that are not UTF-8', () => {
    expect(refusalOf(QUERY.replace('a%20b', '%c3%28'))).toMatchObject({ code: 'malformed', clause: 'SLO-44' });
    expect(refusalOf(`SAMLRequest=${encode(deflateRawSync(Buffer.from(XML, 'utf16le')).toString('base64'))}`).code).toBe('forbidden_xml');
  });
});
