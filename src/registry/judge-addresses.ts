import { ExeuntError } from '#domain';
import type { Fault } from '#domain';
import type { Egress } from '#platform/egress';
import type { ChannelConfig, OidcIdentity } from './types.js';
import { isLoopback } from './uri-rules.js';

/** A URL of a registration that we will call some day, and where it stands in the request. */
export interface Address {
  field: string;
  url: string;
}

/** Everything that a channel may make us call. */
export function addressesOfChannels(channels: readonly ChannelConfig[]): Address[] {
  return channels.flatMap((channel, at) => {
    const field = `/channels/${at}`;
    // Its metadata is fetched through the same guard; what the metadata names is judged where it is read.
    if (channel.type === 'saml') return [];
    const keys = channel.encryption?.jwksUri;
    return [
      { field: `${field}/uri`, url: channel.uri },
      ...(keys === undefined ? [] : [{ field: `${field}/encryption/jwksUri`, url: keys }]),
    ];
  });
}

/** Everything that the OIDC side of an identity provider may make us call; its issuer only where that is more than a name. */
export function addressesOfIdentity(oidc: OidcIdentity | null): Address[] {
  if (oidc === null) return [];
  if (oidc.jwksUri !== undefined) return [{ field: '/oidc/jwksUri', url: oidc.jwksUri }, ...insecureName(oidc.issuer)];
  return oidc.jwks === undefined ? [{ field: '/oidc/issuer', url: oidc.issuer }] : insecureName(oidc.issuer);
}

function insecureName(issuer: string): Address[] {
  return new URL(issuer).protocol === 'https:' || isLoopback(issuer) ? [] : [{ field: '/oidc/issuer', url: issuer }];
}

/** Addresses that must not be called: the same verdict as at delivery. @see BCL-6 */
export async function addressFaults(egress: Pick<Egress, 'judge'>, addresses: readonly Address[]): Promise<Fault[]> {
  const verdicts = await Promise.all(addresses.map(async (address) => ({ address, verdict: await egress.judge(address.url) })));
  return verdicts.flatMap(({ address, verdict }) =>
    verdict.allowed ? [] : [{ field: address.field, seen: address.url.slice(0, 100), rule: verdict.error }],
  );
}

/** @throws ExeuntError `validation`, or `refused_address` when that is all that is wrong */
export function refuseFaults(what: string, rules: readonly Fault[], addresses: readonly Fault[]): void {
  const faults = [...rules, ...addresses];
  const first = faults[0];
  if (first === undefined) return;
  const code = rules.length === 0 ? 'refused_address' : 'validation';
  throw new ExeuntError(code, `The ${what} is not valid: ${first.field} ${first.rule}`, faults);
}
