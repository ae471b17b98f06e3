import ipaddr from 'ipaddr.js';
import { isIP } from 'node:net';
import { ExeuntError } from '#domain';

export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** A network that the operator has opened, or a special one of the registries. */
export interface Network {
  cidr: string;
  base: Address;
  prefix: number;
}

/**
 * Reads one strict CIDR. Bits behind the prefix must be zero: `10.1.2.3/8` is more often a slip of the pen than a wish for 16 million hosts.
 * @throws {@link ExeuntError} `configuration`, naming the field, the value seen and the rule.
 */
export function parseNetwork(cidr: string, field: string): Network {
  const fail = (rule: string): never => {
    throw new ExeuntError('configuration', `${field}: "${cidr}" is not usable: ${rule}`, [{ field, seen: cidr, rule }]);
  };
  const [text = '', bits, ...rest] = cidr.split('/');
  const version = isIP(text);
  if (version === 0 || text.includes('%') || rest.length > 0) fail('wanted a network like 10.20.0.0/16 or fd00:1::/48');
  const width = version === 4 ? 32 : 128;
  if (bits === undefined) fail(`wanted a prefix length; for this one address write ${text}/${width}`);
  if (!/^\d{1,3}$/.test(bits ?? '') || Number(bits) > width) fail(`wanted a prefix length of 0 to ${width}`);
  const base = ipaddr.parse(text);
  const prefix = Number(bits);
  if (base.kind() === 'ipv6' && (base as ipaddr.IPv6).isIPv4MappedAddress()) fail('wanted the IPv4 form of an IPv4-mapped network');
  const start = (version === 4 ? ipaddr.IPv4 : ipaddr.IPv6).networkAddressFromCIDR(cidr).toString();
  if (ipaddr.parse(start).toNormalizedString() !== base.toNormalizedString()) {
    fail(`wanted no bits behind the prefix: ${start}/${prefix}, or ${text}/${width} for this one address`);
  }
  return { cidr, base, prefix };
}

/** Reads the operator's list. @throws {@link ExeuntError} `configuration` at the first entry that is not a CIDR. */
export function parseNetworks(cidrs: readonly string[], field: string): Network[] {
  return cidrs.map((cidr, index) => parseNetwork(cidr.trim(), `${field}/${index}`));
}

/** The first network that holds the address. */
export function networkOf<N extends Network>(networks: readonly N[], address: Address): N | undefined {
  return networks.find((network) => network.base.kind() === address.kind() && address.match(network.base as never, network.prefix));
}
