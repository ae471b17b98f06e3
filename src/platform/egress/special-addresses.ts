import { parseNetwork, type Network } from './networks.js';

export interface SpecialNetwork extends Network {
  /** What the registry calls it. */
  name: string;
}

const special = (name: string, ...cidrs: string[]): SpecialNetwork[] => cidrs.map((cidr) => ({ name, ...parseNetwork(cidr, name) }));

/**
 * IPv4 that is not global unicast.
 * @see IANA IPv4 Special-Purpose Address Registry (RFC 6890), RFC 5771, RFC 1112 section 4
 */
export const SPECIAL_IPV4: readonly SpecialNetwork[] = [
  ...special('unspecified ("this network")', '0.0.0.0/8'),
  ...special('private', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'),
  ...special('shared (carrier-grade NAT)', '100.64.0.0/10'),
  ...special('loopback', '127.0.0.0/8'),
  ...special('link-local', '169.254.0.0/16'),
  ...special('for protocol assignments', '192.0.0.0/24'),
  ...special('for documentation', '192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24'),
  ...special('for AS112 or multicast tunnels', '192.31.196.0/24', '192.52.193.0/24', '192.175.48.0/24'),
  ...special('6to4 relay', '192.88.99.0/24'),
  ...special('for benchmarking', '198.18.0.0/15'),
  ...special('multicast', '224.0.0.0/4'),
  ...special('broadcast', '255.255.255.255/32'),
  ...special('reserved', '240.0.0.0/4'),
];

/** The only IPv6 block that global unicast addresses are given out of. */
export const GLOBAL_UNICAST_IPV6 = parseNetwork('2000::/3', 'global unicast');

/**
 * IPv6 that is not global unicast. All outside of 2000::/3 is refused anyway; those are named here for a clearer error.
 * @see IANA IPv6 Special-Purpose Address Registry (RFC 6890), RFC 4291, RFC 3879
 */
export const SPECIAL_IPV6: readonly SpecialNetwork[] = [
  ...special('unspecified', '::/128'),
  ...special('loopback', '::1/128'),
  ...special('IPv4-compatible', '::/96'),
  ...special('IPv4-translated', '::ffff:0:0:0/96'),
  ...special('local-use NAT64', '64:ff9b:1::/48'),
  ...special('discard-only', '100::/64'),
  ...special('Teredo', '2001::/32'),
  ...special('for benchmarking', '2001:2::/48'),
  ...special('for documentation', '2001:db8::/32', '3fff::/20'),
  ...special('for protocol assignments', '2001::/23'),
  ...special('6to4', '2002::/16'),
  ...special('for AS112', '2620:4f:8000::/48'),
  ...special('the former 6bone', '3ffe::/16'),
  ...special('for segment routing', '5f00::/16'),
  ...special('unique local', 'fc00::/7'),
  ...special('link-local', 'fe80::/10'),
  ...special('site-local', 'fec0::/10'),
  ...special('multicast', 'ff00::/8'),
];

/** NAT64's well-known prefix: the last 32 bits are the IPv4 address that is really called (RFC 6052). */
export const NAT64 = parseNetwork('64:ff9b::/96', 'NAT64');

/**
 * Where clouds hand out the credentials of the machine. Never opened, whatever the operator lists: some lie inside networks that
 * are listed for good reasons (carrier-grade NAT, unique local), one (Azure) is a public address.
 */
export const CLOUD_METADATA: readonly SpecialNetwork[] = special(
  'a cloud metadata service',
  '169.254.169.254/32', // AWS, Google, Azure, OpenStack, DigitalOcean, Oracle
  '169.254.169.253/32', // AWS resolver
  '169.254.170.2/32', // AWS ECS task credentials
  '169.254.170.23/32', // AWS EKS pod identity
  '100.100.100.200/32', // Alibaba
  '168.63.129.16/32', // Azure WireServer
  '192.0.0.192/32', // Oracle, formerly
  'fd00:ec2::23/128', // AWS EKS pod identity
  'fd00:ec2::253/128',
  'fd00:ec2::254/128', // AWS
  'fd20:ce::254/128', // Google
);

/** Names of the same services, for resolvers that answer with addresses nobody has listed. */
export const CLOUD_METADATA_NAMES: ReadonlySet<string> = new Set([
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
]);
