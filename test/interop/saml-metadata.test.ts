import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buildParticipantMetadata, mergeIdpMetadata } from '#protocol/saml';
import type { MetadataAdditions, SamlSigner } from '#protocol/saml';
import { importSamlKey } from '../../src/registry/certificates/import-material.js';
import { generateSamlKey, signatureAlgorithmOf } from '../../src/registry/certificates/key-material.js';
import { makeCertificate } from '../integration/egress-certificate.js';
import { newSamlIdp } from '../contract/saml-idp.js';
import { startRegistryApp } from '../contract/registry-app.js';
import type { RegistryApp } from '../contract/registry-app.js';
import { idpMetadata } from '../support/idp-metadata.js';
import { describeWith } from './describe-with.js';
import { samlSchemas, xmlsec1 } from './products.js';
import { ENTITY_DESCRIPTOR, judgeSchema, judgeSignature } from './xml-judges.js';

const ALGORITHMS = '<alg:SigningMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"/>';
let additions: MetadataAdditions;
let rsa: SamlSigner;
let ec: SamlSigner;

beforeAll(async () => {
  const [signing, encryption] = await Promise.all([
    generateSamlKey('corp', 'signing', new Date()),
    generateSamlKey('corp', 'encryption', new Date()),
  ]);
  const { cert, key } = makeCertificate({ commonName: 'ec' });
  const imported = importSamlKey({ pem: cert + key }, new Date());
  rsa = { ...signing, algorithm: signatureAlgorithmOf(signing.privateKey) };
  ec = { ...imported, algorithm: signatureAlgorithmOf(imported.privateKey) };
  additions = {
    signingCertificates: [signing.certificate, imported.certificate],
    encryptionCertificates: [encryption.certificate],
    endpoints: { redirect: 'https://slo.example/a?b=1&c=2', post: 'https://slo.example/a', soap: 'https://slo.example/s' },
    cacheSeconds: 3600,
  };
});

const participant = (signer?: SamlSigner) =>
  buildParticipantMetadata({
    ...additions,
    entityId: 'https://slo.example/idps/corp',
    assertionConsumerService: 'https://slo.example/acs',
    signer,
  });

describeWith(samlSchemas, 'the SAML metadata schema', () => {
  it.each<[string, () => string]>([
    ['what is published for service providers', () => mergeIdpMetadata(idpMetadata(), additions)],
    ['the same, signed with RSA', () => mergeIdpMetadata(idpMetadata(), { ...additions, signer: rsa })],
    ['the same, signed with ECDSA', () => mergeIdpMetadata(idpMetadata(), { ...additions, signer: ec })],
    ['the same with an end', () => mergeIdpMetadata(idpMetadata(), { ...additions, validUntil: '2030-01-01T00:00:00.000Z' })],
    [
      'the same of one that names algorithms',
      () => mergeIdpMetadata(idpMetadata({ extensions: ALGORITHMS, rootExtensions: ALGORITHMS }), { ...additions, signer: rsa }),
    ],
    [
      'the same while nothing of ours is for encryption',
      () => mergeIdpMetadata(idpMetadata(), { ...additions, encryptionCertificates: [] }),
    ],
    ['what is published for the identity provider', () => participant()],
    ['the same, signed', () => participant(rsa)],
  ])('SLO-71 holds for %s', (_, make) => {
    expect(judgeSchema(make())).toBe('');
  });

  describe('is no rubber stamp', () => {
    it.each([
      ['an SLO endpoint in the wrong place', (xml: string) => moveToEnd(xml)],
      ['an unknown use', (xml: string) => xml.replace('use="encryption"', 'use="tls"')],
      ['an algorithm without URI', (xml: string) => xml.replace(/<alg:SigningMethod Algorithm="[^"]*"/, '<alg:SigningMethod')],
      ['an ID that begins with a digit', (xml: string) => xml.replace(' ID="_', ' ID="0')],
      [
        'a signature at the end',
        (xml: string) => xml.replace(/(<ds:Signature[ >][\s\S]*<\/ds:Signature>)([\s\S]*)(<\/\w*:?EntityDescriptor>)/, '$2$1$3'),
      ],
    ])('it refuses %s', (_, spoil) => {
      const good = mergeIdpMetadata(idpMetadata(), { ...additions, signer: rsa });
      const bad = spoil(good);
      expect(bad).not.toBe(good);
      expect(judgeSchema(bad)).toMatch(/validity error|fails to validate/);
    });
  });
});

describeWith(xmlsec1, 'xmlsec1', () => {
  it.each<[string, () => string, () => SamlSigner]>([
    ['RSA', () => mergeIdpMetadata(idpMetadata(), { ...additions, signer: rsa }), () => rsa],
    ['ECDSA', () => mergeIdpMetadata(idpMetadata(), { ...additions, signer: ec }), () => ec],
    ['RSA, of ourselves', () => participant(rsa), () => rsa],
  ])('SLO-82 verifies metadata that is signed with %s, and with no other certificate', (_, make, signer) => {
    const xml = make();
    expect(judgeSignature(xml, signer().certificate, ENTITY_DESCRIPTOR)).toBe('');
    expect(judgeSignature(xml, (signer() === rsa ? ec : rsa).certificate, ENTITY_DESCRIPTOR)).not.toBe('');
    expect(judgeSignature(xml.replace('https://slo.example/s', 'https://slo.example/x'), signer().certificate, ENTITY_DESCRIPTOR)).not.toBe(
      '',
    );
  });

  describe('over HTTP', () => {
    let registry: RegistryApp;
    beforeAll(async () => {
      registry = await startRegistryApp();
    });
    afterAll(() => registry?.close());

    it('SLO-82 verifies what the running service publishes with the certificate that it names', async () => {
      const { id } = await newSamlIdp(registry);
      for (const path of ['metadata', 'sp-metadata']) {
        const { text } = await registry.call('GET', `/idps/${id}/saml/${path}`, { token: null });
        const [signing] = (await registry.call('GET', `/v1/identity-providers/${id}/saml-keys`)).json.items;
        expect(judgeSignature(text, signing.certificate as string, ENTITY_DESCRIPTOR)).toBe('');
        if (samlSchemas.version() !== null) expect(judgeSchema(text)).toBe('');
      }
    });
  });
});

/** The last SingleLogoutService behind the single sign-on, where the schema does not want it. */
function moveToEnd(xml: string): string {
  const [service] = /<[\w:]*SingleLogoutService [^>]*SOAP[^>]*slo\.example\/s"[^>]*\/>/.exec(xml)!;
  return xml.replace(service, '').replace('</IDPSSODescriptor>', `${service}</IDPSSODescriptor>`);
}
