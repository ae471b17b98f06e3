import { SamlParties } from '#registry';
import { selfSigned } from '../support/certificates.js';
import { entityDescriptor } from '../support/saml-metadata.js';
import { idpBody, spBody, startPeer, startRegistryApp } from './registry-app.js';
import type { Answer, Peer, RegistryApp } from './registry-app.js';

let registry: RegistryApp;
let peer: Peer;
const key = selfSigned('peer');

beforeAll(async () => {
  [registry, peer] = await Promise.all([startRegistryApp(), startPeer()]);
});
afterAll(async () => {
  await registry?.close();
  await peer?.close();
});

let counter = 0;
function idpXml(entityId = `https://idp-${++counter}.example.com/saml`) {
  return entityDescriptor({
    entityId,
    role: 'idp',
    keys: [{ use: 'signing', certificate: key.certificate }],
    endpoints: [{ binding: 'redirect', location: 'https://idp.example.com/slo' }],
  });
}

async function newIdp(changes: Record<string, unknown> = {}) {
  const body = { ...idpBody(), saml: { metadataXml: idpXml() }, ...changes };
  const answer = await registry.call('POST', '/v1/identity-providers', { body });
  expect(answer.text).not.toContain('problem');
  return answer.json;
}

test('a first pass', async () => {
  const idp = await newIdp({ oidc: undefined });
  const body = spBody(idp.id, {
    channels: [
      {
        type: 'saml',
        metadataXml: entityDescriptor({
          entityId: 'https://sp.example.com/saml',
          keys: [{ use: 'both', certificate: key.certificate }],
          endpoints: [{ binding: 'soap', location: `${peer.url}/soap` }],
        }),
      },
    ],
  });
  const answer: Answer = await registry.call('POST', '/v1/service-providers', { body });
  const found = await registry.app.get(SamlParties).find(idp.id, 'https://sp.example.com/saml');
});
