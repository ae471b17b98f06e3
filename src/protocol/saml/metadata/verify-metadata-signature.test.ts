import { generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { SignedXml } from 'xml-crypto';
import { selfSigned } from '../../../../test/support/certificates.js';
import { entitiesDescriptor, entityDescriptor } from '../../../../test/support/saml-metadata.js';
import { MetadataRefused } from './metadata-refused.js';
import { parseMetadata } from './parse-metadata.js';
import type { MetadataWish } from './parse-metadata.js';
import { signMetadata } from './sign-metadata.js';

const now = new Date('2026-11-25T06:00:00Z');
const [federation, stranger] = [selfSigned('federation'), selfSigned('stranger')];
const ID = 'https://sp.example.com/saml';
const sp = (entityId = ID, attributes = '') =>
  entityDescriptor({
    entityId,
    keys: [{ use: 'signing', certificate: federation.certificate }],
    endpoints: [{ binding: 'soap', location: `${entityId}/slo` }],
    attributes,
  });
const pinned = (changes: Partial<MetadataWish> = {}): MetadataWish => ({
  role: 'sp',
  entityId: ID,
  certificates: [federation.certificate],
  now,
  ...changes,
});
const signed = (xml: string, by = federation) => signMetadata(xml, { ...by, algorithm: 'rsa-sha256' });
const aggregate = (attributes = '') =>
  entitiesDescriptor([sp('https://other.example.com').replace('_of_the_peer', '_other'), sp()], attributes);

const C14N = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature';
interface Ways {
  signature?: string;
  digest?: string;
  c14n?: string;
  transforms?: string[];
  /** XPath of what is signed, several: several references. */
  over?: string[];
  prefixes?: string[];
}
/** As somebody signs who does it otherwise. */
function signedOtherwise(xml: string, ways: Ways): string {
  const signer = new SignedXml({
    privateKey: federation.privateKey as never,
    signatureAlgorithm: ways.signature ?? 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    canonicalizationAlgorithm: ways.c14n ?? C14N,
  });
  for (const xpath of ways.over ?? ['/*']) {
    const transforms = ways.transforms ?? [ENVELOPED, C14N];
    const digestAlgorithm = ways.digest ?? 'http://www.w3.org/2001/04/xmlenc#sha256';
    signer.addReference({ xpath, transforms, digestAlgorithm, inclusiveNamespacesPrefixList: ways.prefixes ?? [] });
  }
  signer.computeSignature(xml, { prefix: 'ds', location: { reference: '/*', action: 'prepend' } });
  return signer.getSignedXml();
}
const SHA1 = { signature: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1', digest: 'http://www.w3.org/2000/09/xmldsig#sha1' };

async function refusalOf(xml: string, changes: Partial<MetadataWish> = {}): Promise<string> {
  const error: unknown = await parseMetadata(xml, pinned(changes)).then(
    () => new Error('it was taken'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof MetadataRefused)) throw error;
  return error.message;
}

describe('a signature with a pinned key is taken (SLO-75)', () => {
  test.each([
    ['over the EntityDescriptor', signed(sp())],
    ['over the whole aggregate', signed(aggregate())],
    ['over the EntityDescriptor in an aggregate that is not signed', entitiesDescriptor([signed(sp())])],
    ['with comments, which are not signed', signed(sp()).replace('<md:SPSSODescriptor', '<!-- a --><md:SPSSODescriptor')],
    [
      'with other algorithms that are allowed',
      signedOtherwise(sp(), {
        signature: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
        digest: 'http://www.w3.org/2001/04/xmlenc#sha512',
      }),
    ],
    ['with a PrefixList', signedOtherwise(sp(ID, ' xmlns:xs="http://www.w3.org/2001/XMLSchema"'), { prefixes: ['xs'] })],
  ])('%s', async (_, xml) => {
    expect((await parseMetadata(xml, pinned())).entity.singleLogoutServices).toEqual([{ binding: 'soap', location: `${ID}/slo` }]);
  });

  test('by the second of two certificates, as while the federation changes its key', async () => {
    const certificates = [stranger.certificate, federation.certificate];
    expect((await parseMetadata(signed(sp()), pinned({ certificates }))).entity.entityId).toBe(ID);
  });

  test('by an EC key', async () => {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const certificate = ecCertificate(pair);
    const xml = signMetadata(sp(), { privateKey: pair.privateKey, certificate, algorithm: 'ecdsa-sha256' });
    expect((await parseMetadata(xml, pinned({ certificates: [certificate] }))).entity.entityId).toBe(ID);
  });

  test('SLO-84 by SHA-1 only where that is allowed', async () => {
    const xml = signedOtherwise(sp(), SHA1);
    expect(await refusalOf(xml)).toMatch(/SignatureMethod must be one of .*rsa-sha1/);
    expect((await parseMetadata(xml, pinned({ allowSha1: true }))).entity.entityId).toBe(ID);
  });

  test('SLO-86 only what was signed is kept, with the prefixes that schema types need', async () => {
    const typed = sp(ID, ' xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"').replace(
      '<md:SPSSODescriptor',
      '<md:Extensions><v xsi:type="xs:string">x</v></md:Extensions><md:SPSSODescriptor',
    );
    const { xml } = await parseMetadata(signed(typed).replace('<md:SPSSO', '<!-- not signed --><md:SPSSO'), pinned());
    expect(xml).not.toMatch(/not signed|Signature/);
    expect(xml).toContain('xmlns:xs="http://www.w3.org/2001/XMLSchema"');
  });

  test('SLO-86 that a signed aggregate ends is believed, wherever the end stands', async () => {
    const xml = signed(aggregate(' validUntil="2026-12-01T00:00:00Z"'));
    expect((await parseMetadata(xml, pinned())).entity.validUntil).toBe('2026-12-01T00:00:00.000Z');
    expect(await refusalOf(xml, { now: new Date('2026-12-02T00:00:00Z') })).toMatch(/valid still/);
  });
});

describe('anything else is refused', () => {
  const evil = sp().replaceAll(`${ID}/slo`, 'https://evil.example/slo');
  const inner = (xml: string) => xml.replace(/^<\?xml[^>]*\?>/, '');
  const signatureOf = (xml: string) => /<ds:Signature[ >].*<\/ds:Signature>/s.exec(xml)![0];
  const without = (xml: string) => xml.replace(signatureOf(xml), '');
  const good = inner(signed(sp()));
  const into = (xml: string, place: RegExp, text: string) => xml.replace(place, (found) => `${found}${text}`);
  const ROOT_TAG = /<md:EntityDescriptor[^>]*>/;
  const wrapped = evil.replace('_of_the_peer', '_evil');

  test.each([
    ['SLOX-10 no signature', sp(), /must be signed/],
    ['SLOX-10 an aggregate without', aggregate(), /must be signed/],
    [
      'SLOX-10 a signature over another entity of the aggregate',
      entitiesDescriptor([inner(signed(sp('https://other.example.com'))), sp()]),
      /must be signed/,
    ],
    ['another key', signed(sp(), stranger), /key of one of the given certificates/],
    ['a changed document', signed(sp()).replace(`${ID}/slo`, 'https://evil.example/slo'), /as it was when it was signed/],
    ['a changed aggregate', signed(aggregate()).replace(`${ID}/slo`, 'https://evil.example/slo'), /as it was when it was signed/],
    [
      'a changed SignedInfo',
      signed(sp())
        .replace(/<ds:DigestValue>./, '<ds:DigestValue>A')
        .replace(/(<ds:SignatureValue>)./, '$1A'),
      /key of one of/,
    ],
    [
      'a signed entity in an aggregate that is signed by a stranger',
      signed(entitiesDescriptor([inner(signed(sp()))]), stranger),
      /key of one of/,
    ],
    ['SLO-82 an empty Reference URI', good.replace('URI="#_of_the_peer"', 'URI=""'), /URI must be #_of_the_peer/],
    ['SLO-82 a reference to another element', signedOtherwise(sp(), { over: ["//*[local-name(.)='SPSSODescriptor']"] }), /URI must be #/],
    ['SLO-82 two references', signedOtherwise(sp(), { over: ['/*', "//*[local-name(.)='SPSSODescriptor']"] }), /exactly one Reference/],
    ['SLO-82 no enveloped-signature transform', signedOtherwise(sp(), { transforms: [C14N] }), /Transforms must be/],
    [
      'SLO-82 inclusive canonicalization',
      signedOtherwise(sp(), { c14n: 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315' }),
      /CanonicalizationMethod must be/,
    ],
    [
      'SLO-83 canonicalization with comments',
      signedOtherwise(sp(), { transforms: [ENVELOPED, `${C14N}WithComments`] }),
      /Transforms must be/,
    ],
    ['SLO-83 a digest that is not allowed', signedOtherwise(sp(), { digest: SHA1.digest }), /DigestMethod must be one of/],
    ['SLO-84 HMAC', good.replace('xmldsig-more#rsa-sha256', 'xmldsig-more#hmac-sha256'), /SignatureMethod must be one of/],
    [
      'SLO-84 an algorithm by the name of an object member',
      good.replace('http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', 'constructor'),
      /SignatureMethod must be one of/,
    ],
    ['SLO-87 two signatures', into(good, /<\/ds:Signature>/, signatureOf(good)), /one Signature on its root/],
    ['SLO-87 a signature that is not first', into(without(good), /<\/md:SPSSODescriptor>/, signatureOf(good)), /first child/],
    [
      'SLO-87 an Object within the signature',
      good.replace('</ds:Signature>', '<ds:Object/></ds:Signature>'),
      /SignedInfo, SignatureValue and KeyInfo/,
    ],
    ['SLOX-9 a comment in the DigestValue', into(good, /<ds:DigestValue>/, '<!-- a -->'), /DigestValue must be base64 and nothing else/],
    ['SLOX-9 two SignedInfo', good.replace(/<ds:SignedInfo>.*<\/ds:SignedInfo>/s, (info) => info + info), /SignedInfo, SignatureValue/],
    [
      'SLOX-1 the signed one within the signature of the forged one',
      into(wrapped, ROOT_TAG, signatureOf(good).replace('</ds:Signature>', `${without(good)}</ds:Signature>`)),
      /SignedInfo, SignatureValue and KeyInfo/,
    ],
    ['SLOX-4 the forged one around the signed one', into(wrapped, ROOT_TAG, signatureOf(good) + without(good)), /URI must be #_evil/],
    [
      'SLOX-5 the forged one with the signature of the signed one',
      into(wrapped, ROOT_TAG, signatureOf(good)).replace('</md:EntityDescriptor>', `${without(good)}</md:EntityDescriptor>`),
      /URI must be #_evil/,
    ],
    [
      'SLOX-9 two elements of one ID, the forged one the root',
      into(evil, ROOT_TAG, signatureOf(good)).replace('</md:EntityDescriptor>', `${without(good)}</md:EntityDescriptor>`),
      /as it was when it was signed/,
    ],
    [
      'SLOX-7 the signed one in Extensions',
      into(wrapped, ROOT_TAG, `${signatureOf(good)}<md:Extensions>${without(good)}</md:Extensions>`),
      /URI must be #_evil/,
    ],
    ['SLOX-3 the signed one beside the forged one', entitiesDescriptor([wrapped, good]), /each entityID once/],
  ])('%s', async (_, xml, message) => {
    expect(await refusalOf(xml)).toMatch(message);
  });
});

/** The library that makes certificates knows no elliptic curves: DER by hand. */
function ecCertificate(pair: { publicKey: KeyObject; privateKey: KeyObject }): string {
  const tlv = (tag: number, ...parts: Buffer[]): Buffer => {
    const body = Buffer.concat(parts);
    const length =
      body.length < 128
        ? Buffer.from([body.length])
        : body.length < 256
          ? Buffer.from([0x81, body.length])
          : Buffer.from([0x82, body.length >> 8, body.length & 255]);
    return Buffer.concat([Buffer.from([tag]), length, body]);
  };
  const algorithm = tlv(0x30, Buffer.from('06082a8648ce3d040302', 'hex'));
  const name = tlv(0x30, tlv(0x31, tlv(0x30, Buffer.from('0603550403', 'hex'), tlv(0x0c, Buffer.from('ec')))));
  const time = (text: string) => tlv(0x17, Buffer.from(text));
  const validity = tlv(0x30, time('200101000000Z'), time('400101000000Z'));
  const key = pair.publicKey.export({ type: 'spki', format: 'der' });
  const tbs = tlv(0x30, tlv(0x02, Buffer.from([1])), algorithm, name, validity, name, key);
  const der = tlv(0x30, tbs, algorithm, tlv(0x03, Buffer.from([0]), sign('sha256', tbs, pair.privateKey)));
  return `-----BEGIN CERTIFICATE-----\n${der
    .toString('base64')
    .match(/.{1,64}/g)!
    .join('\n')}\n-----END CERTIFICATE-----\n`;
}
