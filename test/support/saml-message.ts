import type { Message } from '#channels';
import type { SamlBinding, SamlEndpoint, SamlEntity } from '#protocol/saml';
import type { SamlConfig, SamlStep } from '#registry';

/** What may be changed in the message below. */
export interface SamlMessageChange extends Partial<Omit<Message<SamlStep>, 'channel'>> {
  config?: Partial<SamlConfig>;
  entity?: Partial<SamlEntity>;
  endpoints?: SamlEndpoint[];
}

/** What dispatch gives a SAML channel, for an SP with these endpoints. */
export function samlMessage(binding: SamlBinding, location: string, change: SamlMessageChange = {}): Message<SamlStep> {
  const { config, entity, endpoints = [{ binding, location }], ...rest } = change;
  return {
    logoutId: 'logout-1',
    deliveryNumber: 1,
    attemptNumber: 1,
    idpId: 'idp-1',
    spId: 'sp-1',
    sid: null,
    sub: null,
    saml: { nameId: { value: 'alice@example.org', format: 'urn:f' }, sessionIndexes: ['_s1', '_s2'], cause: 'user' },
    timeoutMs: 5_000,
    ...rest,
    channel: {
      type: `saml-${binding}`,
      config: { type: 'saml', bindings: ['soap', 'redirect', 'post'], encryptNameId: false, allowSha1: false, ...config },
      entity: {
        entityId: 'https://sp.example/metadata',
        singleLogoutServices: endpoints,
        signingCertificates: [],
        encryptionKeys: [],
        validUntil: null,
        ...entity,
      },
      endpoints: endpoints.filter((endpoint) => endpoint.binding === binding),
    },
  };
}
