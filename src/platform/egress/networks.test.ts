import { Egress } from './door.js';
import { parseNetworks } from './networks.js';

describe('egress.allowPrivateNetworks takes networks and names what is not one', () => {
  test.each([
    ['10.0.0.0', 'for this one address write 10.0.0.0/32'],
    ['::1', 'for this one address write ::1/128'],
    ['10.0.0.0/33', 'a prefix length of 0 to 32'],
    ['fd00::/129', 'a prefix length of 0 to 128'],
    ['10.0.0.0/', 'a prefix length'],
    ['10.0.0.0/-1', 'a prefix length'],
    ['10.0.0.0/8/8', 'wanted a network'],
    ['10.1.2.3/8', '10.0.0.0/8, or 10.1.2.3/32'],
    ['fd00::1/64', 'fd00::/64, or fd00::1/128'],
    ['010.0.0.0/8', 'wanted a network'],
    ['10/8', 'wanted a network'],
    ['::ffff:10.0.0.0/104', 'the IPv4 form'],
    ['fe80::%eth0/64', 'wanted a network'],
    ['intranet', 'wanted a network'],
    ['', 'wanted a network'],
  ])('%p is refused', (cidr, rule) => {
    const make = () => parseNetworks(['127.0.0.0/8', cidr], 'egress.allowPrivateNetworks');
    expect(make).toThrow(rule);
    expect(make).toThrow(expect.objectContaining({ code: 'configuration' }) as Error);
    expect(make).toThrow(`egress.allowPrivateNetworks/1: "${cidr}"`);
  });

  test.each(['10.0.0.0/8', '127.0.0.1/32', ' 192.168.0.0/16 ', '0.0.0.0/0', '::/0', 'fd00::/8', '::1/128'])('%p is taken', (cidr) => {
    expect(parseNetworks([cidr], 'x')).toHaveLength(1);
  });

  test('the door does not open with a network that cannot be read', () => {
    const settings = { connectTimeoutMs: 1, responseLimitBytes: 1, documentLimitBytes: 1, maxSocketsPerOrigin: 1 };
    expect(() => new Egress({ ...settings, allowPrivateNetworks: ['nonsense'] })).toThrow(/egress\.allowPrivateNetworks\/0: "nonsense"/);
  });
});
