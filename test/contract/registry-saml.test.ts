import { SignedXml } from 'xml-crypto';
import { Metrics } from '#platform/telemetry';
import { RefreshSamlMetadata, SamlParties } from '#registry';
import { selfSigned } from '../support/certificates.js';
import type { TestCertificate } from '../support/certificates.js';
import { startMetadataServer } from '../support/metadata-server.js';
import type { MetadataServer } from '../support/metadata-server.js';
import { entitiesDescriptor, entityDescriptor } from '../support/saml-metadata.js';
import type { MetadataParts } from '../support/saml-metadata.js';
import { idpBody, spBody, startRegistryApp } from './registry-app.js';
import type { Answer, RegistryApp } from './registry-app.js';

let registry: RegistryApp;
let server: MetadataServer;
const [key, next, federation] = [selfSigned('peer'), selfSigned('next peer'), selfSigned('federation')];

beforeAll(async () => {
  [registry, server] = await Promise.all([startRegistryApp({ server: { publicUrl: 'https://slo.example.com' } }), startMetadataServer()]);
});
afterAll(async () => {
  await registry?.close();
  await server?.close();
});

let counter = 0;
const idpXml = (changes: Partial<MetadataParts> = {}) =>
  entityDescriptor({
    entityId: `https://idp${++counter}.example.com/saml`,
    role: 'idp',
    keys: [{ use: 'signing', certificate: key.certificate }],
    endpoints: [{ binding: 'redirect', location: 'https://idp.example.com/slo' }],
    ...changes,
  });
const spXml = (changes: Partial<MetadataParts> = {}) =>
  entityDescriptor({
    entityId: `https://sp${++counter}.example.com/saml`,
    keys: [{ use: 'both', certificate: key.certificate }],
    endpoints: [
      { binding: 'soap', location: 'http://127.0.0.1:9/soap' },
      { binding: 'redirect', location: 'https://sp.example.com/slo' },
    ],
    ...changes,
  });
const entityIdIn = (xml: string) => /entityID="([^"]*)"/.exec(xml)![1]!;

const postIdp = (saml: unknown, changes: Record<string, unknown> = {}) =>
  registry.call('POST', '/v1/identity-providers', { body: { ...idpBody(), saml, ...changes } });
const postSp = (idp: string, channel: Record<string, unknown>, changes: Record<string, unknown> = {}) =>
  registry.call('POST', '/v1/service-providers', { body: spBody(idp, { channels: [{ type: 'saml', ...channel }], ...changes }) });

async function newIdp(saml: Record<string, unknown> = { metadataXml: idpXml() }, changes: Record<string, unknown> = {}) {
  return made(await postIdp(saml, changes));
}
async function newSp(idp: string, channel: Record<string, unknown> = { metadataXml: spXml() }, changes: Record<string, unknown> = {}) {
  return made(await postSp(idp, channel, changes));
}
function made(answer: Answer) {
  expect(answer.text).not.toContain('problem');
  expect(answer.status).toBe(201);
  return answer.json;
}
function expectFault(answer: Answer, status: number, code: string, field: string, rule: RegExp, seen?: unknown) {
  expect([answer.status, answer.json?.type]).toEqual([status, `urn:exeunt:problem:${code}`]);
  const fault = answer.json.errors?.find((one: { field: string }) => one.field === field);
  expect(fault ?? answer.json.errors).toMatchObject({ field, rule: expect.stringMatching(rule) });
  if (seen !== undefined) expect(fault.seen).toEqual(seen);
}
function signed(xml: string, by: TestCertificate = federation): string {
  const signer = new SignedXml({
    privateKey: by.privateKey as never,
    signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    canonicalizationAlgorithm: 'http://www.w3.org/2001/10/xml-exc-c14n#',
  });
  const transforms = ['http://www.w3.org/2000/09/xmldsig#enveloped-signature', 'http://www.w3.org/2001/10/xml-exc-c14n#'];
  signer.addReference({ xpath: '/*', transforms, digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha256' });
  signer.computeSignature(xml, { prefix: 'ds', location: { reference: '/*', action: 'prepend' } });
  return signer.getSignedXml();
}

let sharedIdp: Promise<{ id: string; apiKey: string }> | undefined;
const shared = () => (sharedIdp ??= newIdp());

describe('identity providers', () => {
  test('with a SAML side alone are registered, with their SAML keys', async () => {
    const metadataXml = idpXml();
    const idp = await newIdp({ metadataXml }, { oidc: undefined });
    expect(idp).toMatchObject({
      oidc: null,
      saml: {
        allowSha1: false,
        participantEntityId: `https://slo.example.com/idps/${idp.id}/saml/sp-metadata`,
        metadata: {
          entityId: entityIdIn(metadataXml),
          singleLogoutServices: [{ binding: 'redirect', location: 'https://idp.example.com/slo' }],
          signingCertificates: [{ subject: 'CN=peer', fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) }],
          encryptionCertificates: [],
          validUntil: null,
          refreshAt: null,
          refreshError: null,
        },
      },
    });
    const { apiKey: _, ...rest } = idp;
    expect((await registry.call('GET', `/v1/identity-providers/${idp.id}`)).json).toEqual(rest);
    const keys = await registry.call('GET', `/v1/identity-providers/${idp.id}/saml-keys`);
    expect(keys.json.items.map((one: { use: string }) => one.use).sort()).toEqual(['encryption', 'signing']);
    expect((await registry.call('GET', `/v1/identity-providers/${idp.id}/keys`)).json.items).toEqual([]);
  });

  test('uploaded metadata stays where a PUT comes without any: what GET answers may be changed and put back', async () => {
    const { id } = await newIdp();
    const before = (await registry.call('GET', `/v1/identity-providers/${id}`)).json;
    const renamed = await registry.call('PUT', `/v1/identity-providers/${id}`, { body: { ...before, name: 'Renamed' } });
    expect(renamed).toMatchObject({
      status: 200,
      json: { name: 'Renamed', saml: { participantEntityId: before.saml.participantEntityId } },
    });
    expect(renamed.json.saml.metadata.entityId).toBe(before.saml.metadata.entityId);
    const { id: other } = await newIdp(null as never);
    const none = await registry.call('PUT', `/v1/identity-providers/${other}`, { body: { name: 'x', oidc: idpBody().oidc, saml: {} } });
    expectFault(none, 422, 'validation', '/saml/metadataXml', /exactly one/);
  });

  test('publish what they are registered with', async () => {
    const metadataXml = idpXml();
    const { id } = await newIdp({ metadataXml });
    const published = await registry.call('GET', `/idps/${id}/saml/metadata`, { token: null });
    expect(published.text).toContain(`entityID="${entityIdIn(metadataXml)}"`);
    const replacement = idpXml();
    await registry.call('PUT', `/v1/identity-providers/${id}`, { body: { name: 'New', saml: { metadataXml: replacement } } });
    expect((await registry.call('GET', `/idps/${id}/saml/metadata`, { token: null })).text).toContain(entityIdIn(replacement));
  });

  test('without an OIDC side have no JWKS and no logout keys', async () => {
    const { id } = await newIdp(undefined, { oidc: null });
    for (const path of [`/idps/${id}/jwks.json`, `/idps/${id}/rp-jwks.json`]) {
      const answer = await registry.call('GET', path, { token: null });
      expect([answer.status, answer.json.detail]).toEqual([404, expect.stringMatching(/has no OIDC side/)]);
    }
    for (const path of ['keys/rotate', 'keys']) {
      const body = path === 'keys' ? { pem: key.privateKey.export({ type: 'pkcs8', format: 'pem' }) } : {};
      const answer = await registry.call('POST', `/v1/identity-providers/${id}/${path}`, { body });
      expect([answer.status, answer.json.detail]).toEqual([409, expect.stringMatching(/has no OIDC side/)]);
    }
  });

  test('keep a side as long as service providers are told by it', async () => {
    const { id } = await newIdp();
    const sp = await newSp(id);
    const body = idpBody({ id: undefined });
    const put = (changes: Record<string, unknown>) =>
      registry.call('PUT', `/v1/identity-providers/${id}`, { body: { ...body, ...changes } });
    expectFault(await put({ saml: null }), 409, 'conflict', '/saml', /1 service providers have a channel of type saml/);
    await registry.call('DELETE', `/v1/service-providers/${sp.id}`);
    expect((await put({ saml: null })).json).toMatchObject({ saml: null });
    expect(await registry.database.query('SELECT 1 FROM saml_metadata WHERE idp_id = $1', [id])).toEqual([]);
    expect((await registry.call('GET', `/v1/identity-providers/${id}/saml/metadata`)).status).toBe(404);
    await registry.call('POST', '/v1/service-providers', { body: spBody(id) });
    expectFault(await put({ oidc: null, saml: { metadataXml: idpXml() } }), 409, 'conflict', '/oidc', /oidc-backchannel/);
  });

  test.each([
    ['both sources', () => ({ metadataXml: idpXml(), metadataUrl: 'https://idp.example.com/m' }), '/saml/metadataXml', /exactly one/],
    ['no source', () => ({}), '/saml/metadataXml', /exactly one/],
    ['metadata of an SP', () => ({ metadataXml: spXml() }), '/saml/metadataXml', /IDPSSODescriptor/],
    [
      'an entityID that is not there',
      () => ({ metadataXml: idpXml(), entityId: 'urn:nobody' }),
      '/saml/entityId',
      /entityID of the document, which has https/,
    ],
    [
      'several entities and none named',
      () => ({ metadataXml: entitiesDescriptor([idpXml(), idpXml()]) }),
      '/saml/entityId',
      /which of the 2 entities/,
    ],
    [
      'our name as its own',
      () => ({ metadataXml: idpXml({ entityId: 'urn:both' }), participantEntityId: 'urn:both' }),
      '/saml/participantEntityId',
      /must not be the entityID of the identity provider/,
    ],
    [
      'no certificate as a pinned one',
      () => ({ metadataXml: idpXml(), metadataCertificates: ['nonsense'] }),
      '/saml/metadataCertificates/0',
      /base64|certificate/,
    ],
    ['an unknown member', () => ({ metadataXml: idpXml(), colour: 'red' }), '/saml/colour', /not a known member/],
    ['a URL with a fragment', () => ({ metadataUrl: 'https://idp.example.com/#a' }), '/saml/metadataUrl', /fragment/],
  ])('refuse %s', async (_, saml, field, rule) => {
    expectFault(await postIdp(saml()), 422, 'validation', field, rule);
  });

  test('may not take the entityID of one of their service providers, for themselves or for us', async () => {
    const { id } = await newIdp();
    const xml = spXml();
    const sp = await newSp(id, { metadataXml: xml });
    const put = (saml: unknown) =>
      registry.call('PUT', `/v1/identity-providers/${id}`, { body: { name: 'x', oidc: idpBody().oidc, saml } });
    const taken = new RegExp(`that of the service provider ${sp.id}`);
    const entityId = entityIdIn(xml);
    expectFault(await put({ metadataXml: idpXml({ entityId }) }), 409, 'conflict', '/saml/metadataXml', taken, entityId);
    expectFault(await put({ metadataXml: idpXml(), participantEntityId: entityId }), 409, 'conflict', '/saml/participantEntityId', taken);
  });
});

describe('service providers', () => {
  test('are registered with defaults; the channel keeps no metadata, which has a place of its own', async () => {
    const { id } = await shared();
    const xml = spXml();
    const sp = await newSp(id, { metadataXml: `<!-- by hand -->${xml}` });
    expect(sp.channels).toEqual([
      { type: 'saml', bindings: ['soap', 'redirect', 'post'], encryptNameId: false, asynchronous: false, allowSha1: false },
    ]);
    expect(sp.saml.metadata).toMatchObject({ entityId: entityIdIn(xml), encryptionCertificates: [{ subject: 'CN=peer' }] });
    const { apiKey, ...rest } = sp;
    expect((await registry.call('GET', `/v1/service-providers/${sp.id}`)).json).toEqual(rest);
    const list = await registry.call('GET', `/v1/service-providers?idp=${id}&limit=200`);
    expect(list.json.items).toContainEqual(rest);
    const raw = await registry.call('GET', `/v1/service-providers/${sp.id}/saml/metadata`, { token: apiKey });
    expect([raw.status, raw.headers.get('content-type'), raw.text]).toEqual([200, 'application/samlmetadata+xml', xml.trim()]);
  });

  test('are found by the entityID, byte for byte, at their identity provider alone; also disabled ones', async () => {
    const [idp, other] = [await newIdp({ metadataXml: idpXml({ entityId: 'https://idp.example.com/Case' }) }), await newIdp()];
    const xml = spXml();
    const sp = await newSp(idp.id, { metadataXml: xml }, { enabled: false });
    const parties = registry.app.get(SamlParties);
    const entityId = entityIdIn(xml);
    expect(await parties.find(idp.id, entityId)).toMatchObject({ kind: 'sp', sp: { id: sp.id, enabled: false, saml: { entityId } } });
    expect(await parties.find(idp.id, 'https://idp.example.com/Case')).toMatchObject({ kind: 'idp', idp: { id: idp.id } });
    for (const wrong of ['https://idp.example.com/case', `${entityId} `, `${entityId}\0`, '', 'x'.repeat(5_000)]) {
      expect(await parties.find(idp.id, wrong)).toBeNull();
    }
    expect(await parties.find(other.id, entityId)).toBeNull();
    expect(await parties.find('no/id', entityId)).toBeNull();
    const channels = [{ type: 'oidc-backchannel', clientId: 'c', uri: 'http://127.0.0.1:9/' }];
    await registry.call('PUT', `/v1/service-providers/${sp.id}`, { body: { name: 'x', channels } });
    expect(await parties.find(idp.id, entityId)).toBeNull();
  });

  test('a second party of one entityID is 409 and names the first; at another identity provider it is welcome', async () => {
    const { id } = await newIdp();
    const [first, second] = [spXml(), spXml()];
    const sp = await newSp(id, { metadataXml: first });
    const another = await newSp(id, { metadataXml: second });
    const taken = new RegExp(`that of the service provider ${sp.id}`);
    expectFault(await postSp(id, { metadataXml: first }), 409, 'conflict', '/channels/0/metadataXml', taken, entityIdIn(first));
    const body = { name: 'x', channels: [{ type: 'saml', metadataXml: first }] };
    const put = await registry.call('PUT', `/v1/service-providers/${another.id}`, { body });
    expectFault(put, 409, 'conflict', '/channels/0/metadataXml', taken);
    expect((await registry.call('GET', `/v1/service-providers/${another.id}`)).json.saml.metadata.entityId).toBe(entityIdIn(second));
    await newSp((await newIdp()).id, { metadataXml: first });
  });

  test('twenty registrations of one entityID at once make one', async () => {
    const { id } = await newIdp();
    const metadataXml = spXml();
    const answers = await Promise.all(Array.from({ length: 20 }, () => postSp(id, { metadataXml })));
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, ...Array<number>(19).fill(409)]);
  });

  test('uploaded metadata stays where the channel of a PUT comes without any, and is gone with its channel', async () => {
    const { id } = await shared();
    const sp = await newSp(id);
    const put = (channels: unknown[]) => registry.call('PUT', `/v1/service-providers/${sp.id}`, { body: { name: 'x', channels } });
    const before = (await registry.call('GET', `/v1/service-providers/${sp.id}`)).json;
    const off = await registry.call('PUT', `/v1/service-providers/${sp.id}`, { body: { ...before, enabled: false } });
    expect(off).toMatchObject({ status: 200, json: { enabled: false, channels: before.channels } });
    expect(off.json.saml.metadata.signingCertificates).toEqual(before.saml.metadata.signingCertificates);
    expectFault(await put([{ type: 'saml', bindings: ['post'] }]), 422, 'validation', '/channels/0/metadataXml', /bindings post/);
    const xml = spXml({ keys: [{ use: 'signing', certificate: next.certificate }] });
    expect((await put([{ type: 'saml', metadataXml: xml }])).json.saml.metadata).toMatchObject({
      entityId: entityIdIn(xml),
      signingCertificates: [{ subject: 'CN=next peer' }],
    });
    expect((await put([])).json).toMatchObject({ channels: [], saml: null });
    expectFault(await put([{ type: 'saml' }]), 422, 'validation', '/channels/0/metadataXml', /exactly one/);
    expect((await registry.call('GET', `/v1/service-providers/${sp.id}/saml/metadata`)).status).toBe(404);
  });

  test('uploaded metadata that is pinned stays, too, and is wanted again where other certificates are', async () => {
    const { id } = await shared();
    const sp = await newSp(id, { metadataXml: signed(spXml()), metadataCertificates: [federation.certificate] });
    const put = (channel: object) =>
      registry.call('PUT', `/v1/service-providers/${sp.id}`, {
        body: { name: 'x', enabled: false, channels: [{ type: 'saml', ...channel }] },
      });
    expect(await put({ metadataCertificates: [federation.certificate] })).toMatchObject({ status: 200, json: { enabled: false } });
    for (const channel of [{ metadataCertificates: [key.certificate] }, {}])
      expectFault(await put(channel), 422, 'validation', '/channels/0/metadataXml', /wanted again with other metadataCertificates/);
  });

  const noSlo = () => spXml({ endpoints: [] });
  const signingOnly = () => spXml({ keys: [{ use: 'signing', certificate: key.certificate }] });
  test.each([
    ['SLO-73 no endpoint at all', () => ({ metadataXml: noSlo() }), '/channels/0/metadataXml', /one of the bindings soap, redirect, post/],
    [
      'SLO-73 no endpoint of the wanted binding',
      () => ({ metadataXml: spXml(), bindings: ['post'] }),
      '/channels/0/metadataXml',
      /bindings post/,
    ],
    [
      'SLO-11 encryptNameId without a key',
      () => ({ metadataXml: signingOnly(), encryptNameId: true }),
      '/channels/0/encryptNameId',
      /KeyDescriptor for encryption/,
    ],
    ['a binding twice', () => ({ metadataXml: spXml(), bindings: ['soap', 'soap'] }), '/channels/0/bindings', /once/],
    ['no binding', () => ({ metadataXml: spXml(), bindings: [] }), '/channels/0/bindings', /at least 1/],
    ['an unknown binding', () => ({ metadataXml: spXml(), bindings: ['artifact'] }), '/channels/0/bindings/0', /soap, redirect, post/],
    [
      'SLO-75 metadata that is over',
      () => ({ metadataXml: spXml({ attributes: ' validUntil="2020-01-01T00:00:00Z"' }) }),
      '/channels/0/metadataXml',
      /valid still/,
    ],
    [
      'SLO-75 no signature where certificates are pinned',
      () => ({ metadataXml: spXml(), metadataCertificates: [federation.certificate] }),
      '/channels/0/metadataXml',
      /must be signed/,
    ],
    ['SLOX-11 a DOCTYPE', () => ({ metadataXml: `<!DOCTYPE x>${spXml()}` }), '/channels/0/metadataXml', /DOCTYPE/],
  ])('refuse %s', async (_, channel, field, rule) => {
    const { id } = await shared();
    expectFault(await postSp(id, channel()), 422, 'validation', field, rule);
  });

  test('have one saml channel at most, in any place of the ladder', async () => {
    const { id } = await shared();
    const channels = [{ type: 'saml', metadataXml: spXml() }, spBody(id).channels[0], { type: 'saml', metadataXml: spXml() }];
    const post = (list: unknown[]) => registry.call('POST', '/v1/service-providers', { body: spBody(id, { channels: list }) });
    expectFault(await post(channels), 422, 'validation', '/channels/2/type', /second time/);
    expect(made(await post([channels[1], channels[0]])).channels.map((one: { type: string }) => one.type)).toEqual([
      'oidc-backchannel',
      'saml',
    ]);
  });

  test('need an identity provider that speaks what they are told by', async () => {
    const [oidcOnly, samlOnly] = [await newIdp(null as never), await newIdp(undefined, { oidc: null })];
    expectFault(
      await postSp(oidcOnly.id, { metadataXml: spXml() }),
      422,
      'validation',
      '/channels/0/type',
      /needs saml at the identity provider/,
    );
    const answer = await registry.call('POST', '/v1/service-providers', { body: spBody(samlOnly.id) });
    expectFault(answer, 422, 'validation', '/channels/0/type', /needs oidc at the identity provider/);
  });

  test('may not have the name of their identity provider, nor ours', async () => {
    const xml = idpXml();
    const idp = await newIdp({ metadataXml: xml });
    for (const entityId of [entityIdIn(xml), idp.saml.participantEntityId as string]) {
      const answer = await postSp(idp.id, { metadataXml: spXml({ entityId }) });
      expectFault(answer, 422, 'validation', '/channels/0/metadataXml', /must not have the entityID of/, entityId);
    }
  });

  const at = (binding: 'soap' | 'redirect', location: string) => ({ metadataXml: spXml({ endpoints: [{ binding, location }] }) });
  test.each([
    ['a private SOAP address', at('soap', 'https://10.0.0.1/slo'), 'https://10.0.0.1/slo'],
    ['the metadata service of a cloud', at('soap', 'https://169.254.169.254/slo'), 'https://169.254.169.254/slo'],
    ['http for a browser', at('redirect', 'http://8.8.8.8/slo'), 'http://8.8.8.8/slo'],
  ])('the address policy refuses %s', async (_, channel, url) => {
    expectFault(await postSp((await shared()).id, channel), 422, 'refused_address', '/channels/0/metadataXml', /./, url);
  });

  test('where only the browser goes, and what is not used, is not held against the address policy', async () => {
    const { id } = await shared();
    await newSp(id, at('redirect', 'https://10.0.0.1/slo'));
    const endpoints = [
      { binding: 'soap' as const, location: 'https://10.0.0.1/slo' },
      { binding: 'redirect' as const, location: 'https://10.0.0.1/slo' },
    ];
    await newSp(id, { metadataXml: spXml({ endpoints }), bindings: ['redirect'] });
  });

  test('a key of an SP reads and refreshes its own metadata alone', async () => {
    const { id } = await shared();
    const [one, other] = [await newSp(id), await newSp(id)];
    for (const [method, path] of [
      ['GET', 'saml/metadata'],
      ['POST', 'saml/refresh'],
    ] as const) {
      const answer = await registry.call(method, `/v1/service-providers/${other.id}/${path}`, { token: one.apiKey });
      expect(answer.status).toBe(403);
      expect((await registry.call(method, `/v1/identity-providers/${id}/${path}`, { token: one.apiKey })).status).toBe(403);
    }
    const own = await registry.call('POST', `/v1/service-providers/${one.id}/saml/refresh`, { token: one.apiKey });
    expect([own.status, own.json.detail]).toEqual([409, expect.stringMatching(/was uploaded/)]);
  });
});

describe('metadata by its URL', () => {
  test('is fetched when it is registered, and then on its schedule', async () => {
    const xml = spXml({ attributes: ' cacheDuration="PT6H"' });
    const place = server.serve({ body: xml, headers: { etag: '"1"', 'content-type': 'application/samlmetadata+xml' } });
    const sp = await newSp((await shared()).id, { metadataUrl: place.url });
    expect(sp.channels[0]).toMatchObject({ metadataUrl: place.url });
    const { fetchedAt, refreshAt } = sp.saml.metadata;
    const hours = (Date.parse(refreshAt) - Date.parse(fetchedAt)) / 3_600_000;
    expect(hours).toBeGreaterThan(5.3);
    expect(hours).toBeLessThanOrEqual(6);
    expect(place.asked).toEqual([{ etag: undefined, accept: expect.stringContaining('application/samlmetadata+xml') }]);
  });

  test.each([
    ['not there', { status: 404 }, 502, 'bad_upstream', /must answer 200, answered 404/],
    [
      'elsewhere',
      { status: 302, headers: { location: 'https://else.example.com/' } },
      502,
      'bad_upstream',
      /302 to https:\/\/else.example.com\/; redirects are not followed/,
    ],
    ['compressed', { headers: { 'content-encoding': 'gzip' }, body: 'x' }, 502, 'bad_upstream', /compressed/],
    ['a page', { body: '<html></html>' }, 422, 'validation', /EntityDescriptor or EntitiesDescriptor/],
  ])('%s is an error that names it', async (_, served, status, code, rule) => {
    const { url } = server.serve(served);
    expectFault(await postSp((await shared()).id, { metadataUrl: url }), status, code, '/channels/0/metadataUrl', rule);
    expectFault(await postIdp({ metadataUrl: url }), status, code, '/saml/metadataUrl', rule);
  });

  test('where nobody listens, or nobody may call, nothing is registered', async () => {
    const { id } = await shared();
    expectFault(
      await postSp(id, { metadataUrl: 'http://127.0.0.1:9/' }),
      502,
      'bad_upstream',
      '/channels/0/metadataUrl',
      /must answer a GET; connect/,
    );
    expectFault(await postSp(id, { metadataUrl: 'https://10.0.0.1/' }), 422, 'refused_address', '/channels/0/metadataUrl', /private/i);
  });

  test('larger than saml.metadataLimitBytes is refused', async () => {
    const small = await startRegistryApp({ saml: { metadataLimitBytes: 1_000 } });
    try {
      const { url } = server.serve(idpXml());
      const answer = await small.call('POST', '/v1/identity-providers', { body: { ...idpBody(), saml: { metadataUrl: url } } });
      expectFault(answer, 502, 'bad_upstream', '/saml/metadataUrl', /at most 1000 bytes long \(saml.metadataLimitBytes\)/);
    } finally {
      await small.close();
    }
  });

  test('one entity of a signed aggregate of megabytes, verified in a thread; a strange key is refused there', async () => {
    const { id } = await shared();
    const filler = spXml();
    const many = Array.from({ length: 3_000 }, (_, n) =>
      filler.replace('_of_the_peer', `_${n}`).replace(entityIdIn(filler), `urn:filler:${n}`),
    );
    const wanted = spXml();
    const aggregate = entitiesDescriptor([...many, wanted]);
    expect(aggregate.length).toBeGreaterThan(5_000_000);
    const entityId = entityIdIn(wanted);
    const channel = { metadataUrl: server.serve(signed(aggregate)).url, entityId, metadataCertificates: [federation.certificate] };
    const stranger = await postSp(id, { ...channel, metadataCertificates: [key.certificate] });
    expectFault(stranger, 422, 'validation', '/channels/0/metadataUrl', /key of one of the given certificates/);
    const sp = await newSp(id, channel);
    expect(sp.saml.metadata.entityId).toBe(entityId);
    const raw = await registry.call('GET', `/v1/service-providers/${sp.id}/saml/metadata`);
    expect(raw.text.length).toBeLessThan(10_000);
  });
});

describe('refreshing', () => {
  const refresh = (id: string) => registry.call('POST', `/v1/service-providers/${id}/saml/refresh`);
  const read = async (id: string) => (await registry.call('GET', `/v1/service-providers/${id}`)).json.saml.metadata;
  const due = (id: string) =>
    registry.database.query("UPDATE saml_metadata SET refresh_at = now() - interval '1 s' WHERE sp_id = $1", [id]);

  async function newFetched(channel: Record<string, unknown> = {}, changes: Partial<MetadataParts> = {}) {
    const xml = channel['metadataCertificates'] === undefined ? spXml(changes) : signed(spXml(changes));
    const place = server.serve({ body: xml, headers: { etag: '"1"' } });
    const { id: idp } = await shared();
    const sp = await newSp(idp, { metadataUrl: place.url, ...channel });
    const again = (parts: Partial<MetadataParts> = {}) => spXml({ entityId: entityIdIn(xml), ...parts });
    return { id: sp.id as string, idp, entityId: entityIdIn(xml), place, again };
  }

  test('SLO-95 a new key beside the old one is taken when it is due, and messages are believed by it', async () => {
    const { id, idp, entityId, place, again } = await newFetched();
    const keys = [key, next].map(({ certificate }) => ({ use: 'signing' as const, certificate }));
    place.now({ body: again({ keys }), headers: { etag: '"2"' } });
    await due(id);
    expect(await registry.app.get(RefreshSamlMetadata).refreshDue()).toBeGreaterThanOrEqual(1);
    expect((await read(id)).signingCertificates.map((one: { subject: string }) => one.subject)).toEqual(['CN=peer', 'CN=next peer']);
    const party = await registry.app.get(SamlParties).find(idp, entityId);
    expect(party).toMatchObject({ kind: 'sp', sp: { saml: { signingCertificates: [expect.any(String), expect.any(String)] } } });
  });

  test('what has not changed is not sent again, but its time begins anew', async () => {
    const { id, place } = await newFetched();
    const before = await read(id);
    expect((await refresh(id)).status).toBe(200);
    expect(place.asked.map((one) => one.etag)).toEqual([undefined, '"1"']);
    const after = await read(id);
    expect(Date.parse(after.fetchedAt)).toBeGreaterThan(Date.parse(before.fetchedAt));
    expect({ ...after, fetchedAt: '', refreshAt: '' }).toEqual({ ...before, fetchedAt: '', refreshAt: '' });
  });

  test('several workers at once fetch each document once', async () => {
    const fetched = await Promise.all(Array.from({ length: 4 }, () => newFetched()));
    for (const { id } of fetched) await due(id);
    const service = registry.app.get(RefreshSamlMetadata);
    await Promise.all([service.refreshDue(), service.refreshDue(), service.refreshDue()]);
    expect(fetched.map(({ place }) => place.asked.length)).toEqual([2, 2, 2, 2]);
  });

  type Fetched = Awaited<ReturnType<typeof newFetched>>;
  test.each([
    ['an error', () => ({ status: 503 }), 502, /answered 503/],
    ['another entity', () => ({ body: spXml() }), 422, /must be an entityID of the document, which has/],
    [
      'one that is over',
      ({ again }: Fetched) => ({ body: again({ attributes: ' validUntil="2020-01-01T00:00:00Z"' }) }),
      422,
      /valid still/,
    ],
    ['one without endpoints', ({ again }: Fetched) => ({ body: again({ endpoints: [] }) }), 422, /SingleLogoutService/],
    [
      'one with forbidden addresses',
      ({ again }: Fetched) => ({ body: again({ endpoints: [{ binding: 'soap', location: 'https://10.0.0.1/' }] }) }),
      422,
      /private/i,
    ],
    ['no metadata', () => ({ body: '<html></html>' }), 422, /EntityDescriptor/],
  ])('%s changes nothing, is shown, and is tried again', async (_, served, status, reason) => {
    const fetched = await newFetched();
    const { id, place, again } = fetched;
    const before = await read(id);
    place.now(served(fetched));
    expect((await refresh(id)).status).toBe(status);
    await due(id);
    await registry.app.get(RefreshSamlMetadata).refreshDue();
    const after = await read(id);
    expect(after).toMatchObject({ refreshFailures: 2, refreshError: expect.stringMatching(reason), fetchedAt: before.fetchedAt });
    expect(after).toMatchObject({ entityId: before.entityId, signingCertificates: before.signingCertificates });
    const minutes = (Date.parse(after.refreshAt) - Date.now()) / 60_000;
    expect(minutes).toBeGreaterThan(1.5);
    expect(minutes).toBeLessThanOrEqual(2);
    place.now(again());
    expect((await refresh(id)).json.saml.metadata).toMatchObject({ refreshFailures: 0, refreshError: null });
  });

  test('SLO-75 an unsigned document is not taken where certificates are pinned', async () => {
    const { id, place, again } = await newFetched({ metadataCertificates: [federation.certificate] });
    const keys = [{ use: 'signing' as const, certificate: next.certificate }];
    for (const [body, reason] of [
      [again({ keys }), /must be signed/],
      [signed(again({ keys }), next), /key of one of the given/],
    ] as const) {
      place.now(body);
      expect((await refresh(id)).status).toBe(422);
      expect(await read(id)).toMatchObject({ refreshError: expect.stringMatching(reason), signingCertificates: [{ subject: 'CN=peer' }] });
    }
    place.now(signed(again({ keys })));
    expect((await refresh(id)).json.saml.metadata.signingCertificates).toMatchObject([{ subject: 'CN=next peer' }]);
  });

  test('that of an identity provider, too: its keys change, what is ours stays', async () => {
    const xml = idpXml();
    const place = server.serve(xml);
    const { id, saml } = await newIdp({ metadataUrl: place.url });
    place.now(idpXml({ entityId: entityIdIn(xml), keys: [{ use: 'signing', certificate: next.certificate }] }));
    const answer = await registry.call('POST', `/v1/identity-providers/${id}/saml/refresh`);
    expect(answer.json.saml).toMatchObject({
      participantEntityId: saml.participantEntityId,
      metadataUrl: place.url,
      metadata: { signingCertificates: [{ subject: 'CN=next peer' }] },
    });
  });

  test('is counted, and failures are logged with the party and the reason', async () => {
    const { id, place } = await newFetched();
    const value = async (result: string) =>
      Number(
        new RegExp(`exeunt_saml_metadata_refreshes_total{result="${result}"} (\\d+)`).exec(await registry.app.get(Metrics).text())?.[1] ??
          0,
      );
    const before = await value('failed');
    place.now({ status: 500 });
    await due(id);
    await registry.app.get(RefreshSamlMetadata).refreshDue();
    expect(await value('failed')).toBe(before + 1);
    expect(registry.emitted.some((line) => line.includes(`"sp":"${id}"`) && line.includes('answered 500'))).toBe(true);
  });
});
