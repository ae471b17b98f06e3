import { SamlMessageRefused } from '#protocol/saml';
import type { SamlEntity } from '#protocol/saml';
import type { IdentityProvider, ServiceProvider } from '#registry';
import type { PartyOfEntity } from './ports.js';

/** A registered peer that speaks SAML. */
export interface Party {
  /** Null: it is the identity provider itself. */
  spId: string | null;
  entity: SamlEntity;
  allowSha1: boolean;
  /** Its logout reaches the session at the identity provider. */
  mayEndRoot: boolean;
}

export function partyOfIdp({ saml }: IdentityProvider): Party | null {
  return saml && { spId: null, entity: saml.entity, allowSha1: saml.allowSha1, mayEndRoot: true };
}

export function partyOfSp(sp: ServiceProvider): Party | null {
  const config = sp.channels.find((channel) => channel.type === 'saml');
  if (config === undefined || sp.saml === null) return null;
  return { spId: sp.id, entity: sp.saml, allowSha1: config.allowSha1, mayEndRoot: sp.mayEndRoot };
}

/**
 * Who is meant by an Issuer. Strangers, those that are switched off and those whose metadata has run out are refused with one and the same text: nobody
 * learns here who is registered.
 * @throws SamlMessageRefused
 * @see SLO-75, SLO-81, SLOX-16
 */
export async function findParty(parties: PartyOfEntity, idpId: string, issuer: string, now: Date): Promise<Party> {
  const found = await parties.find(idpId, issuer);
  if (found === null) throw unknown('nobody with this entityID is registered');
  const party = found.kind === 'sp' ? partyOfSp(found.sp) : partyOfIdp(found.idp);
  if (party === null) throw unknown('it has no SAML side');
  if (found.kind === 'sp' && !found.sp.enabled) throw unknown(`the service provider ${found.sp.id} is disabled`);
  const { validUntil } = party.entity;
  if (validUntil !== null && new Date(validUntil) <= now) throw unknown(`its metadata was valid until ${validUntil}`, 'SLO-75');
  return party;
}

function unknown(detail: string, clause = 'SLOX-16'): SamlMessageRefused {
  return new SamlMessageRefused('unknown_issuer', clause, 'the Issuer is not known here', detail);
}
