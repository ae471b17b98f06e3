import { BINDING_URI, NS } from '../terms.js';
import type { SamlSigner } from '../types.js';
import { finishDocument } from './finish-document.js';
import {
  algorithms,
  element,
  keyDescriptors,
  PUBLISHED_DIGESTS,
  PUBLISHED_SIGNATURES,
  singleLogoutServices,
  withNamespaces,
} from './published-parts.js';
import type { PublishedParts } from './published-parts.js';

/** What an identity provider is told of us as one of its service providers. */
export interface ParticipantMetadata extends PublishedParts {
  entityId: string;
  /** @see buildParticipantMetadata */
  assertionConsumerService: string;
  signer?: SamlSigner;
}

/**
 * Our metadata as a service provider of an identity provider, so that it sends us its logout requests and believes ours.
 *
 * The schema wants an AssertionConsumerService, but we take no logins: the address answers every assertion that it does not. That the
 * identity provider must want AuthnRequests signed (AuthnRequestsSigned) keeps others from asking for assertions in our name, for we
 * sign none.
 * @see SLO-70, SLO-71, SLO-74
 */
export function buildParticipantMetadata(participant: ParticipantMetadata): string {
  const role = { protocolSupportEnumeration: NS.samlp, AuthnRequestsSigned: 'true', WantAssertionsSigned: 'true' };
  const consumer = { Binding: BINDING_URI.post, Location: participant.assertionConsumerService, index: '0' };
  const content = [
    `<md:Extensions>${algorithms(PUBLISHED_DIGESTS, PUBLISHED_SIGNATURES).join('')}</md:Extensions>`,
    ...keyDescriptors(participant),
    ...singleLogoutServices(participant.endpoints),
    element('md:AssertionConsumerService', consumer),
  ].join('\n    ');
  const entity = { entityID: participant.entityId, cacheDuration: `PT${participant.cacheSeconds}S` };
  const xml = withNamespaces('md:EntityDescriptor', entity, `\n  ${element('md:SPSSODescriptor', role, `\n    ${content}\n  `)}\n`);
  return finishDocument(xml, participant.signer);
}
