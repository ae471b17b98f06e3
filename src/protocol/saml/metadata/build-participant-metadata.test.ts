import { NS } from '../terms.js';
import { buildParticipantMetadata } from './build-participant-metadata.js';
import { childrenOf, rootOf } from './metadata-tree.js';

const xml = buildParticipantMetadata({
  entityId: 'https://slo.example/idps/corp?a=1&b=2',
  assertionConsumerService: 'https://slo.example/idps/corp/saml/acs',
  signingCertificates: [
    '-----BEGIN CERTIFICATE-----\nb25l\n-----END CERTIFICATE-----',
    '-----BEGIN CERTIFICATE-----\ndHdv\n-----END CERTIFICATE-----',
  ],
  encryptionCertificates: ['-----BEGIN CERTIFICATE-----\nZW5j\n-----END CERTIFICATE-----'],
  endpoints: { redirect: 'https://slo.example/r', post: 'https://slo.example/p', soap: 'https://slo.example/s' },
  cacheSeconds: 600,
});
const root = rootOf(xml);
const role = childrenOf(root, NS.md, 'SPSSODescriptor')[0]!;

test('SLO-71 the children of the role stand in the order of the schema', () => {
  expect(childrenOf(role).map((child) => child.localName)).toEqual([
    'Extensions',
    ...Array<string>(3).fill('KeyDescriptor'),
    ...Array<string>(3).fill('SingleLogoutService'),
    'AssertionConsumerService',
  ]);
});

test('it is ours, by the name that the identity provider knows us by', () => {
  expect(root.getAttribute('entityID')).toBe('https://slo.example/idps/corp?a=1&b=2');
  expect(role.getAttribute('protocolSupportEnumeration')).toBe(NS.samlp);
});

test('nobody gets assertions in our name, for we sign no AuthnRequest', () => {
  expect(role.getAttribute('AuthnRequestsSigned')).toBe('true');
});

test('SLO-70 SLO-74 all bindings and certificates are there', () => {
  const locations = childrenOf(role, NS.md, 'SingleLogoutService').map((one) => one.getAttribute('Location'));
  expect(locations).toEqual(['https://slo.example/r', 'https://slo.example/p', 'https://slo.example/s']);
  const keys = childrenOf(role, NS.md, 'KeyDescriptor').map((key) => [key.getAttribute('use'), key.textContent]);
  expect(keys).toEqual([
    ['signing', 'b25l'],
    ['signing', 'dHdv'],
    ['encryption', 'ZW5j'],
  ]);
});
