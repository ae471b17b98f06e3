import type { Fault } from '#domain';
import type { Egress } from '#platform/egress';
import type { SamlBinding, SamlEntity } from '#protocol/saml';
import { addressFaults, refuseFaults } from '../judge-addresses.js';
import type { SamlConfig, SamlIdentity } from '../types.js';

type Judge = Pick<Egress, 'judge'>;

/** Where the browser is sent with our answers. We never call an identity provider. */
const BROWSER_BINDINGS: readonly SamlBinding[] = ['redirect', 'post'];

/**
 * Whether an SP can be told by what its metadata says, in the way that it is registered.
 * @param at JSON pointers of its channel and of its metadata, for the faults.
 * @throws ExeuntError `validation`, `refused_address`
 */
export async function judgeSpMetadata(
  egress: Judge,
  channel: Pick<SamlConfig, 'bindings' | 'encryptNameId'>,
  entity: SamlEntity,
  idp: SamlIdentity,
  at: { channel: string; metadata: string },
): Promise<void> {
  const offered = [...new Set(entity.singleLogoutServices.map((endpoint) => endpoint.binding))];
  const faults: Fault[] = [];
  if (!channel.bindings.some((binding) => offered.includes(binding))) {
    faults.push({
      field: at.metadata,
      seen:
        offered.length === 0 ? 'no SingleLogoutService of SOAP, HTTP-Redirect or HTTP-POST' : `SingleLogoutService: ${offered.join(', ')}`,
      rule: `must have a SingleLogoutService of one of the bindings ${channel.bindings.join(', ')}`,
    });
  }
  if (channel.encryptNameId && entity.encryptionKeys.length === 0) {
    const rule = 'needs a KeyDescriptor for encryption with an RSA key, which the metadata has not got';
    faults.push({ field: `${at.channel}/encryptNameId`, seen: true, rule });
  }
  const taken = { 'the identity provider itself': idp.entity.entityId, 'ours as a service provider of it': idp.participantEntityId };
  for (const [who, entityId] of Object.entries(taken)) {
    if (entity.entityId === entityId) faults.push({ field: at.metadata, seen: entityId, rule: `must not have the entityID of ${who}` });
  }
  refuseFaults('service provider', faults, await endpointFaults(egress, entity, channel.bindings, at.metadata));
}

/** Whether the browser may go where the metadata of an identity provider says. @throws ExeuntError `validation`, `refused_address` */
export async function judgeIdpMetadata(egress: Judge, entity: SamlEntity, participantEntityId: string, field: string): Promise<void> {
  const faults: Fault[] = [];
  if (participantEntityId === entity.entityId) {
    const rule = 'must not be the entityID of the identity provider: it is our name as a service provider of it';
    faults.push({ field: '/saml/participantEntityId', seen: participantEntityId, rule });
  }
  refuseFaults('identity provider', faults, await endpointFaults(egress, entity, BROWSER_BINDINGS, field));
}

/** What we call, and where a browser goes without TLS, is held against the address policy; where else a browser goes is its own affair. */
function endpointFaults(egress: Judge, entity: SamlEntity, bindings: readonly SamlBinding[], field: string): Promise<Fault[]> {
  const urls = entity.singleLogoutServices
    .filter(({ binding }) => bindings.includes(binding))
    .flatMap(({ binding, location, responseLocation = location }) =>
      [location, responseLocation].filter((url) => binding === 'soap' || /^http:/i.test(url)),
    );
  return addressFaults(
    egress,
    [...new Set(urls)].map((url) => ({ field, url })),
  );
}
