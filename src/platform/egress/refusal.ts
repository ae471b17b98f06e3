import ipaddr from 'ipaddr.js';
import { isIP } from 'node:net';
import { networkOf, type Address, type Network } from './networks.js';
import { CLOUD_METADATA, GLOBAL_UNICAST_IPV6, NAT64, SPECIAL_IPV4, SPECIAL_IPV6 } from './special-addresses.js';

export type Scheme = 'http:' | 'https:';

const WANTED = 'wanted a global unicast address or one inside egress.allowPrivateNetworks';

/**
 * The whole policy on one address: why it may not be called, or undefined when it may.
 * Denied by default is all that is not global unicast; the operator's networks open private ranges, and only to them may `http:` speak.
 * An address that carries an IPv4 address (mapped, NAT64) is judged by that one.
 * @see BCL-6
 *
 * @param address as the URL or the resolver gave it, not trusted to be an address
 */
export function refusalOf(address: string, scheme: Scheme, allowed: readonly Network[]): string | undefined {
  // A zone chooses an interface of this machine: nothing that a peer may do.
  if (isIP(address) === 0 || address.includes('%')) return `${address} is not a plain IP address; ${WANTED}`;
  const called = calledAddress(ipaddr.parse(address));
  const metadata = networkOf(CLOUD_METADATA, called) ?? networkOf(CLOUD_METADATA, lastFourBytes(called));
  if (metadata) return `${shown(address, called)} is ${metadata.name}, which is never called`;
  if (networkOf(allowed, called)) return undefined;
  const kind = specialKindOf(called);
  if (kind) return `${shown(address, called)} is ${kind}; ${WANTED}`;
  if (scheme === 'http:')
    return `http: is allowed only to networks in egress.allowPrivateNetworks; ${shown(address, called)} is not inside; wanted https:`;
  return undefined;
}

function specialKindOf(address: Address): string | undefined {
  if (address.kind() === 'ipv4') return describe(networkOf(SPECIAL_IPV4, address));
  return (
    describe(networkOf(SPECIAL_IPV6, address)) ?? (networkOf([GLOBAL_UNICAST_IPV6], address) ? undefined : 'not global unicast (2000::/3)')
  );
}

function describe(network?: { name: string; cidr: string }): string | undefined {
  return network && `${network.name} (${network.cidr})`;
}

function calledAddress(address: Address): Address {
  if (address.kind() === 'ipv4') return address;
  const six = address as ipaddr.IPv6;
  if (six.isIPv4MappedAddress()) return six.toIPv4Address();
  return networkOf([NAT64], six) ? lastFourBytes(six) : six;
}

function lastFourBytes(address: Address): Address {
  return new ipaddr.IPv4(address.toByteArray().slice(-4));
}

function shown(address: string, called: Address): string {
  const text = called.toString();
  return text === address ? address : `${address} (that is ${text})`;
}
