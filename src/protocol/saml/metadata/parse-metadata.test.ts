import { selfSigned } from '../../../../test/support/certificates.js';
import { adfsIdp, keycloakIdp, shibbolethSp, simpleSamlPhpSp } from '../../../../test/support/metadata-shapes.js';
import { base64Of, entitiesDescriptor, entityDescriptor } from '../../../../test/support/saml-metadata.js';
import type { MetadataParts } from '../../../../test/support/saml-metadata.js';
import { MetadataRefused } from './metadata-refused.js';
import { rootOf } from './metadata-tree.js';
import { parseMetadata } from './parse-metadata.js';
import type { MetadataWish } from './parse-metadata.js';

const now = new Date('2026-11-25T06:00:00Z');
const [key, next] = [selfSigned('peer'), selfSigned('next peer')];
const base64 = base64Of(key.certificate);
const wish = (changes: Partial<MetadataWish> = {}): MetadataWish => ({ role: 'sp', now, ...changes });
const sp = (changes: Partial<MetadataParts> = {}) =>
  entityDescriptor({
    entityId: 'https://sp.example.com/saml',
    keys: [{ use: 'signing', certificate: key.certificate }],
    endpoints: [{ binding: 'soap', location: 'https://sp.example.com/slo' }],
    ...changes,
  });

async function refusalOf(xml: string, changes: Partial<MetadataWish> = {}): Promise<MetadataRefused> {
  const error: unknown = await parseMetadata(xml, wish(changes)).then(
    () => new Error('it was taken'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof MetadataRefused)) throw error;
  return error;
}

describe('metadata of real products', () => {
  test('SLO-70 SLO-73 Shibboleth SP: known bindings in document order, ASLO-4 its announcement, one key for both uses', async () => {
    const { entity, cacheDurationMs } = await parseMetadata(shibbolethSp(base64), wish());
    expect(entity).toEqual({
      entityId: 'https://sp.example.org/shibboleth',
      singleLogoutServices: [
        { binding: 'soap', location: 'https://sp.example.org/Shibboleth.sso/SLO/SOAP', supportsAsynchronous: true },
        { binding: 'redirect', location: 'https://sp.example.org/Shibboleth.sso/SLO/Redirect' },
        { binding: 'post', location: 'https://sp.example.org/Shibboleth.sso/SLO/POST' },
      ],
      signingCertificates: [normal(key.certificate)],
      encryptionKeys: [
        {
          certificate: normal(key.certificate),
          methods: [
            'http://www.w3.org/2009/xmlenc11#aes128-gcm',
            'http://www.w3.org/2001/04/xmlenc#aes128-cbc',
            'http://www.w3.org/2009/xmlenc11#rsa-oaep',
          ],
        },
      ],
      validUntil: null,
    });
    expect(cacheDurationMs).toBeNull();
  });

  test('SLO-73 Keycloak: POST before Redirect, as it has them', async () => {
    const { entity } = await parseMetadata(keycloakIdp(base64), wish({ role: 'idp' }));
    expect(entity.entityId).toBe('https://kc.example.org/realms/corp');
    expect(entity.singleLogoutServices.map((one) => one.binding)).toEqual(['post', 'redirect', 'soap']);
    expect(entity.encryptionKeys).toEqual([]);
  });

  test('ADFS: the role that is wanted and its keys, not those of WS-Federation or of its other side', async () => {
    const xml = adfsIdp([base64, base64Of(next.certificate)]);
    const { entity } = await parseMetadata(xml, wish({ role: 'idp' }));
    expect(entity.entityId).toBe('http://adfs.example.org/adfs/services/trust');
    expect(entity.signingCertificates).toEqual([key, next].map((one) => normal(one.certificate)));
    expect(entity.encryptionKeys.map((one) => one.certificate)).toEqual([normal(key.certificate)]);
    expect(entity.singleLogoutServices.map((one) => one.location)).toEqual(Array<string>(2).fill('https://adfs.example.org/adfs/ls/'));
  });

  test('SLO-72 SLO-75 SimpleSAMLphp: ResponseLocation, validUntil, cacheDuration; CDATA does no harm', async () => {
    const { entity, cacheDurationMs } = await parseMetadata(simpleSamlPhpSp(base64, '2026-12-02T06:00:00Z'), wish());
    expect(entity.singleLogoutServices).toEqual([
      {
        binding: 'redirect',
        location: 'https://ssp.example.org/module.php/saml/sp/saml2-logout.php/default-sp',
        responseLocation: 'https://ssp.example.org/module.php/saml/sp/saml2-logout-done.php/default-sp',
      },
    ]);
    expect(entity.validUntil).toBe('2026-12-02T06:00:00.000Z');
    expect(cacheDurationMs).toBe(604_800_000);
  });
});

describe('keys', () => {
  test('SLO-95 all signing keys of a rollover are there, in document order; SLO-74 those of one use only for it', async () => {
    const keys = [
      { use: 'encryption' as const, certificate: next.certificate },
      { use: 'signing' as const, certificate: next.certificate },
      { use: 'both' as const, certificate: key.certificate },
    ];
    const { entity } = await parseMetadata(sp({ keys }), wish());
    expect(entity.signingCertificates).toEqual([next, key].map((one) => normal(one.certificate)));
    expect(entity.encryptionKeys.map((one) => one.certificate)).toEqual([next, key].map((one) => normal(one.certificate)));
  });

  test('SLOX-12 a comment within a certificate cuts nothing off', async () => {
    const xml = sp().replace(base64, `${base64.slice(0, 100)}<!-- here -->${base64.slice(100)}`);
    expect((await parseMetadata(xml, wish())).entity.signingCertificates).toEqual([normal(key.certificate)]);
  });

  test.each([
    ['no key for signing', sp({ keys: [{ use: 'encryption', certificate: key.certificate }] }), /KeyDescriptor.*for signing/],
    [
      'SLO-83 a weak RSA key',
      sp({ keys: [{ use: 'both', certificate: selfSigned('weak', 1_024).certificate }] }),
      /2048 bits.*1024 bits in CN=weak/,
    ],
    ['no certificate', sp().replace(base64, 'bm90IG9uZQ=='), /certificate that can be read/],
    ['no base64', sp().replace(base64, '?'), /base64/],
    ['an unknown use', sp().replace('use="signing"', 'use="logout"'), /signing or encryption.*logout/],
  ])('SLO-74 refuses %s', async (_, xml, message) => {
    expect((await refusalOf(xml)).message).toMatch(message);
  });
});

describe('endpoints', () => {
  const at = (location: string) => sp({ endpoints: [{ binding: 'post', location }] });
  test.each([
    ['a relative URI', at('/slo'), /absolute https URI.*\/slo/],
    ['another scheme', at('javascript:alert(1)'), /absolute https URI/],
    ['a fragment', at('https://sp.example.com/slo#a'), /fragment/],
    ['a password', at('https://a:b@sp.example.com/slo'), /user name or password/],
    ['a space', at('https://sp.example.com/ slo'), /absolute/],
    ['a backslash', at('https://sp.example.com\\@evil.example/'), /absolute/],
    ['one that is too long', at(`https://sp.example.com/${'a'.repeat(2_048)}`), /2048/],
    ['none', sp().replace(/ Location="https:\/\/sp.example.com\/slo"/, ''), /Location/],
    [
      'a ResponseLocation that is wrong',
      sp().replace('/slo"', '/slo" ResponseLocation="ftp://sp.example.com/"').replace('SOAP', 'HTTP-POST'),
      /ResponseLocation.*https/,
    ],
  ])('SLO-70 refuses %s', async (_, xml, message) => {
    expect((await refusalOf(xml)).message).toMatch(message);
  });
});

describe('validity (SLO-75)', () => {
  test.each([
    ['the entity', sp({ attributes: ' validUntil="2026-12-01T00:00:00Z"' })],
    ['its role', sp().replace('<md:SPSSODescriptor', '<md:SPSSODescriptor validUntil="2026-12-01T00:00:00Z"')],
    [
      'an aggregate around it',
      entitiesDescriptor([sp({ attributes: ' validUntil="2027-12-01T00:00:00Z"' })], ' validUntil="2026-12-01T00:00:00Z"'),
    ],
    ['an aggregate around that', entitiesDescriptor([entitiesDescriptor([sp()], ' ID2="x"')], ' validUntil="2026-12-01T02:00:00+02:00"')],
    ['a time without a zone, which is UTC', sp({ attributes: ' validUntil="2026-12-01T00:00:00"' })],
  ])('the earliest counts: that of %s', async (_, xml) => {
    expect((await parseMetadata(xml, wish())).entity.validUntil).toBe('2026-12-01T00:00:00.000Z');
  });

  test('what is over is refused with the date, whoever says so', async () => {
    const over = ' validUntil="2026-11-25T06:00:00Z"';
    for (const xml of [sp({ attributes: over }), entitiesDescriptor([sp()], over)]) {
      expect((await refusalOf(xml)).message).toMatch(/valid still.*2026-11-25T06:00:00.000Z/);
    }
  });

  test('the end of another entity of the aggregate says nothing', async () => {
    const other = sp({ entityId: 'https://other.example.com', attributes: ' validUntil="2020-01-01T00:00:00Z"' });
    const { entity } = await parseMetadata(entitiesDescriptor([other, sp()]), wish({ entityId: 'https://sp.example.com/saml' }));
    expect(entity.validUntil).toBeNull();
  });

  test.each([
    ['PT1H', 3_600_000],
    ['P1DT2H3M4.5S', 93_784_500],
    ['P1Y2M', 421 * 86_400_000],
    ['-PT1H', 0],
  ])('cacheDuration %s', async (text, ms) => {
    expect((await parseMetadata(sp({ attributes: ` cacheDuration="${text}"` }), wish())).cacheDurationMs).toBe(ms);
  });

  test.each([' cacheDuration="1 hour"', ' cacheDuration="PT"', ' validUntil="tomorrow"', ' validUntil="2026-13-01T00:00:00Z"'])(
    'refuses%s',
    async (attributes) => {
      expect((await refusalOf(sp({ attributes }))).clause).toBe('SLO-75');
    },
  );
});

describe('aggregates', () => {
  const ids = Array.from({ length: 7 }, (_, n) => `https://sp${n}.example.com/saml`);
  const many = entitiesDescriptor([
    ...ids.slice(0, 3).map((entityId) => sp({ entityId })),
    entitiesDescriptor(ids.slice(3).map((entityId) => sp({ entityId }))),
  ]);

  test('the one that is wanted is found, also in a nested one, and stands alone', async () => {
    const { entity, xml } = await parseMetadata(many, wish({ entityId: ids[5] }));
    expect(entity.entityId).toBe(ids[5]);
    expect(rootOf(xml).getAttribute('entityID')).toBe(ids[5]);
    expect(xml).not.toContain(ids[4]);
  });

  test('namespaces that are declared around it come along', async () => {
    const inner = sp().replace(/ xmlns:(md|ds)="[^"]*"/g, '');
    const around = ' xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:odd="urn:a&amp;b"';
    const { xml } = await parseMetadata(entitiesDescriptor([inner], around), wish());
    expect(rootOf(xml).getAttribute('xmlns:odd')).toBe('urn:a&b');
    expect(await parseMetadata(xml, wish())).toMatchObject({ entity: { entityId: 'https://sp.example.com/saml' } });
  });

  test('one that is not there is refused, with some that are', async () => {
    const error = await refusalOf(many, { entityId: 'https://nobody.example.com' });
    expect([error.field, error.seen]).toEqual(['entityId', 'https://nobody.example.com']);
    expect(error.rule).toContain(`${ids.slice(0, 5).join(', ')} and 2 more`);
    expect((await refusalOf(sp(), { entityId: 'https://nobody.example.com' })).rule).toContain('which has https://sp.example.com/saml');
  });

  test('of several one must be named; of one none', async () => {
    const error = await refusalOf(many);
    expect([error.field, error.rule]).toEqual(['entityId', expect.stringMatching(/which of the 7 entities/)]);
    expect((await parseMetadata(entitiesDescriptor([sp()]), wish())).entity.entityId).toBe('https://sp.example.com/saml');
  });

  test('an empty one has nothing to read', async () => {
    expect((await refusalOf(entitiesDescriptor([]))).rule).toBe('must have an EntityDescriptor');
  });

  test('one entityID twice is nobody', async () => {
    expect((await refusalOf(entitiesDescriptor([sp(), sp()]), { entityId: 'https://sp.example.com/saml' })).rule).toMatch(
      /each entityID once/,
    );
  });

  test('what hides in Extensions or within another entity is no entity of it', async () => {
    const hidden = sp({ entityId: 'https://hidden.example.com' });
    for (const xml of [
      entitiesDescriptor([`<md:Extensions>${hidden}</md:Extensions>`, sp()]),
      entitiesDescriptor([sp().replace('<md:SPSSODescriptor', `<md:Extensions>${hidden}</md:Extensions><md:SPSSODescriptor`)]),
    ]) {
      expect((await refusalOf(xml, { entityId: 'https://hidden.example.com' })).field).toBe('entityId');
      expect((await parseMetadata(xml, wish())).entity.entityId).toBe('https://sp.example.com/saml');
    }
  });

  test('a large one is read in slices, with pauses between them', async () => {
    const filler = Array.from({ length: 2_000 }, (_, n) => sp({ entityId: `https://filler${n}.example.com` }));
    const xml = entitiesDescriptor([...filler, sp()]);
    let pauses = 0;
    const effort = { pause: () => Promise.resolve(void pauses++), verifySignature: () => Promise.reject(new Error('not asked for')) };
    await parseMetadata(xml, wish({ entityId: 'https://sp.example.com/saml' }), effort);
    expect(pauses).toBeGreaterThanOrEqual(Math.floor(xml.length / (64 * 1024)));
  });
});

describe('what is not wanted', () => {
  test('SLO-70 the other role', async () => {
    expect((await refusalOf(sp(), { role: 'idp' })).message).toMatch(/IDPSSODescriptor.*seen: SPSSODescriptor/);
    expect((await refusalOf(keycloakIdp(base64))).message).toMatch(/SPSSODescriptor.*seen: IDPSSODescriptor/);
  });

  test('a role of SAML 1.1', async () => {
    expect((await refusalOf(sp().replace('SAML:2.0:protocol"', 'SAML:1.1:protocol"'))).message).toMatch(/of SAML 2.0/);
  });

  const doctype = (text: string) => `<?xml version="1.0"?>${text}${sp()}`;
  test.each([
    ['SLOX-11 a DOCTYPE', doctype('<!DOCTYPE md:EntityDescriptor>'), /DOCTYPE/],
    ['SLOX-11 an external entity', doctype('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'), /DOCTYPE/],
    [
      'SLOX-11 entities within entities',
      doctype('<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>').replace('md:SPSSO', '&b;md:SPSSO'),
      /DOCTYPE/,
    ],
    ['an entity that nobody declared', sp().replace('</md:SPSSODescriptor>', '&a;</md:SPSSODescriptor>'), /well-formed/],
    ['SLOX-12 a processing instruction', `<?xml-stylesheet href="a.xsl"?>${sp()}`, /processing instructions.*xml-stylesheet/],
    ['SLOX-17 another encoding', `<?xml version="1.0" encoding="UTF-16"?>${sp()}`, /UTF-8.*UTF-16/],
    ['SLOX-17 XML 1.1', `<?xml version="1.1"?>${sp()}`, /XML 1.0.*1.1/],
    ['what is no XML', 'metadata', /well-formed/],
    ['nothing', '', /well-formed/],
    ['a page', '<html><body>Not found</body></html>', /EntityDescriptor or EntitiesDescriptor.*<html> of no namespace/],
    ['a page that is not well-formed', '<!doctype html><p>Not found', /DOCTYPE|well-formed/],
    ['an unclosed element', sp().replace('</md:EntityDescriptor>', ''), /well-formed/],
    ['a prefix of nowhere', sp().replaceAll('ds:', 'dsx:'), /well-formed/],
    ['two roots', sp() + sp(), /well-formed/],
    [
      'SLOX-17 too much depth',
      sp().replace('</md:SPSSODescriptor>', `${'<a>'.repeat(200)}${'</a>'.repeat(200)}</md:SPSSODescriptor>`),
      /nested deeper/,
    ],
    ['an entity that is too long', sp({ attributes: ` x="${'a'.repeat(600_000)}"` }), /524288 characters/],
    [
      'an entity of too many elements',
      sp().replace('</md:SPSSODescriptor>', `${'<a/>'.repeat(30_000)}</md:SPSSODescriptor>`),
      /20000 elements/,
    ],
    [
      'more elements than metadata has',
      entitiesDescriptor([`<md:Extensions>${'<a/>'.repeat(500_000)}</md:Extensions>`, sp()]),
      /500000 elements/,
    ],
    ['too many attributes', sp({ attributes: Array.from({ length: 300 }, (_, n) => ` a${n}=""`).join('') }), /200 attributes/],
    ['half a character', sp({ attributes: ' x="\ud800"' }), /well-formed|surrogate/],
    ['no entityID', sp().replace(/ entityID="[^"]*"/, ''), /entityID/],
    ['an entityID that is too long', sp({ entityId: `https://${'a'.repeat(1_024)}` }), /1024/],
    ['an entityID with white space', sp({ entityId: 'https://sp.example.com /saml' }), /white space/],
  ])('%s is refused', async (_, xml, message) => {
    expect((await refusalOf(xml)).message).toMatch(message);
  });

  test('comments, which products write, are no obstacle anywhere', async () => {
    const xml = `<!-- a -->${sp().replaceAll('><', '><!-- & < --><')}<!-- z -->`;
    expect((await parseMetadata(xml, wish())).entity.entityId).toBe('https://sp.example.com/saml');
  });
});

/** As every certificate is kept, whoever wrapped it how. */
function normal(pem: string): string {
  const lines = base64Of(pem).match(/.{1,64}/g)!;
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
