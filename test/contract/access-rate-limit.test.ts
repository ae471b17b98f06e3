import { startRegistryApp } from './registry-app.js';
import type { RegistryApp } from './registry-app.js';

let registry: RegistryApp;

beforeAll(async () => {
  registry = await startRegistryApp({ server: { rateLimitPerMinute: 40, protocolRateLimitPerMinute: 10 } });
});
afterAll(async () => registry?.close());

test('guessing keys is stopped, with 429 and Retry-After, long before the rate limit', async () => {
  const statuses: number[] = [];
  for (let n = 0; n < 15; n++) statuses.push((await registry.call('GET', '/v1/identity-providers', { token: `exk_guess_${n}` })).status);
  expect(statuses).toEqual([...Array<number>(10).fill(401), ...Array<number>(5).fill(429)]);
  const answer = await registry.call('GET', '/v1/identity-providers');
  expect(answer.json).toMatchObject({ type: 'urn:exeunt:problem:too_many_requests', status: 429 });
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
});

test('protocol routes and probes have buckets of their own', async () => {
  const statuses: number[] = [];
  for (let n = 0; n < 12; n++) statuses.push((await registry.call('GET', '/idps/nobody/jwks.json', { token: null })).status);
  expect(statuses.slice(0, 10)).toEqual(Array<number>(10).fill(404));
  expect(statuses.slice(10)).toEqual([429, 429]);
  expect((await registry.call('GET', '/healthz', { token: null })).status).toBe(404);
});
