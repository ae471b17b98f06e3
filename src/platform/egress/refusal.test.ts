import fc from 'fast-check';
import { parseNetworks } from './networks.js';
import { refusalOf } from './refusal.js';

const none = parseNetworks([], 'x');
const everything = parseNetworks(['0.0.0.0/0', '::/0'], 'x');

test.each([
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.0',
  '169.253.255.255',
  '169.255.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '191.255.255.255',
  '192.0.1.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2a00:1450:4001:81b::200e',
  '2001:200::1',
  '::ffff:8.8.8.8',
  '64:ff9b::8.8.8.8',
])('%s, global unicast, may be called by https: and not by http:', (address) => {
  expect(refusalOf(address, 'https:', none)).toBeUndefined();
  expect(refusalOf(address, 'http:', none)).toContain('http: is allowed only to networks in egress.allowPrivateNetworks');
});

test('http: is allowed to listed networks and nowhere else', () => {
  const listed = parseNetworks(['10.20.0.0/16', 'fd12:3456::/32'], 'x');
  for (const inside of ['10.20.0.1', '10.20.255.255', '::ffff:10.20.1.1', 'fd12:3456::7']) {
    expect(refusalOf(inside, 'http:', listed)).toBeUndefined();
    expect(refusalOf(inside, 'https:', listed)).toBeUndefined();
  }
  for (const outside of ['10.19.255.255', '10.21.0.0', '::ffff:10.21.0.0', 'fd12:3457::7', '8.8.8.8']) {
    expect(refusalOf(outside, 'http:', listed)).toBeDefined();
  }
});

test.each([
  '169.254.169.254',
  '169.254.170.2',
  '100.100.100.200',
  '168.63.129.16',
  'fd00:ec2::254',
  '::ffff:169.254.169.254',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::a9fe:a9fe',
])('%s, cloud metadata, is refused whatever the operator lists', (address) => {
  expect(refusalOf(address, 'https:', everything)).toContain('cloud metadata');
  expect(refusalOf(address, 'http:', everything)).toContain('cloud metadata');
});

test('every IPv4 address has the same verdict plain, mapped and behind NAT64', () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      const plain = refusalOf(address, 'https:', none) === undefined;
      expect(refusalOf(`::ffff:${address}`, 'https:', none) === undefined).toBe(plain);
      expect(refusalOf(`64:ff9b::${address}`, 'https:', none) === undefined).toBe(plain);
    }),
  );
});

test('IPv6 outside of 2000::/3 is refused, all of it but mapped and NAT64', () => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      const first = Number.parseInt(address.split(':')[0] || '0', 16);
      if (first >> 13 === 1) return;
      fc.pre(!/^(0:0:0:0:0:ffff|::ffff|64:ff9b)/i.test(address) && !address.startsWith('::'));
      expect(refusalOf(address, 'https:', none)).toBeDefined();
    }),
  );
});

test.each(['localhost', '', '127.1', '0x7f.0.0.1', 'fe80::1%eth0', '8.8.8.8%lo', '2606:4700::1%1'])(
  '%p is not an address and refused',
  (text) => {
    expect(refusalOf(text, 'https:', everything)).toContain('not a plain IP address');
  },
);
