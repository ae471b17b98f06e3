import { readFileSync } from 'node:fs';
import { Metrics } from './metrics.js';

interface Described {
  name: string;
  type: string;
  labels: string;
  help: string;
}

function documented(): Described[] {
  const page = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
  return page
    .split('\n')
    .map((line) => /^\| `(exeunt_\w+)` \| (\w+) \| (.*?) ?\| (.+) \|$/.exec(line))
    .filter((row) => row !== null)
    .map(([, name = '', type = '', labels = '', help = '']) => ({ name, type, labels: labels.replaceAll('`', '').trim(), help }));
}

async function declared(metrics: Metrics): Promise<Described[]> {
  const all = await metrics.registry.getMetricsAsJSON();
  return all.map(({ name, type, help }) => {
    const { labelNames } = metrics.registry.getSingleMetric(name) as unknown as { labelNames: string[] };
    return { name, type: String(type), labels: labelNames.filter((label) => label !== 'le').join(', '), help };
  });
}

async function valueOf(metrics: Metrics, series: string): Promise<number | undefined> {
  const line = (await metrics.text()).split('\n').find((text) => text.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

test('docs/metrics.md says exactly what the code declares: names, types, labels and meaning', async () => {
  expect(documented()).toEqual(await declared(new Metrics({ processMetrics: false })));
});

test('every method that says what happened moves its series, and only those', async () => {
  const metrics = new Metrics({ processMetrics: false });
  metrics.eventTaken('session.ended', 'accepted', 'corp');
  metrics.logoutStarted('user');
  metrics.logoutCompleted('complete');
  metrics.attemptDone('oidc-backchannel', 'confirmed', 20);
  metrics.deliverySettled('oidc-backchannel', 'confirmed');
  metrics.deliverySettled(null, 'skipped');
  metrics.sessionWasExposed(0.2);
  metrics.openLogoutsAre(3, 42);
  metrics.laneIs('crm', { inflight: 2, waiting: 5, breakerOpen: true });
  metrics.sweeperRequeued(4);
  metrics.egressRefused();
  metrics.httpRequestDone('POST', '/v1/events', 202, 7);
  metrics.httpRequestDone('GET', undefined, 404, 1);
  metrics.authFailed();
  const expected: Record<string, number> = {
    'exeunt_events_total{idp="corp",type="session.ended",status="accepted"}': 1,
    'exeunt_logouts_total{cause="user"}': 1,
    'exeunt_logouts_completed_total{verdict="complete"}': 1,
    'exeunt_attempts_total{channel="oidc-backchannel",result="confirmed"}': 1,
    'exeunt_attempt_duration_seconds_sum{channel="oidc-backchannel"}': 0.02,
    'exeunt_attempt_duration_seconds_bucket{le="0.01",channel="oidc-backchannel"}': 0,
    'exeunt_attempt_duration_seconds_bucket{le="0.025",channel="oidc-backchannel"}': 1,
    'exeunt_deliveries_settled_total{channel="oidc-backchannel",outcome="confirmed"}': 1,
    'exeunt_deliveries_settled_total{channel="none",outcome="skipped"}': 1,
    exeunt_logout_exposure_seconds_sum: 0.2,
    exeunt_open_logouts: 3,
    exeunt_oldest_open_logout_seconds: 42,
    'exeunt_lane_inflight{sp="crm"}': 2,
    'exeunt_lane_waiting{sp="crm"}': 5,
    'exeunt_breaker_open{sp="crm"}': 1,
    exeunt_sweeper_requeued_total: 4,
    exeunt_egress_refused_total: 1,
    'exeunt_http_requests_total{method="POST",route="/v1/events",status="202"}': 1,
    'exeunt_http_requests_total{method="GET",route="unmatched",status="404"}': 1,
    'exeunt_http_request_duration_seconds_count{method="POST",route="/v1/events"}': 1,
    exeunt_auth_failures_total: 1,
  };
  const seen = Object.fromEntries(
    await Promise.all(Object.keys(expected).map(async (series) => [series, await valueOf(metrics, series)] as const)),
  );
  expect(seen).toEqual(expected);
});

test('the series of an SP end with its lane', async () => {
  const metrics = new Metrics({ processMetrics: false });
  metrics.laneIs('crm', { inflight: 1, waiting: 0, breakerOpen: false });
  expect(await metrics.text()).toContain('sp="crm"');
  metrics.laneGone('crm');
  expect(await metrics.text()).not.toContain('sp="crm"');
});

test('readings run at each scrape; one that fails is told and costs nothing else', async () => {
  const metrics = new Metrics({ processMetrics: false });
  const told: unknown[] = [];
  metrics.readBeforeScrape(async () => Promise.reject(new Error('database is away')));
  metrics.readBeforeScrape(() => metrics.openLogoutsAre(1, 2));
  const text = await metrics.text((error) => told.push(error));
  expect(text).toContain('exeunt_open_logouts 1');
  expect(told).toEqual([expect.objectContaining({ message: 'database is away' })]);
});

test('two instances do not share series; process metrics carry our prefix', async () => {
  const [one, two] = [new Metrics(), new Metrics({ processMetrics: false })];
  one.authFailed();
  expect(await valueOf(two, 'exeunt_auth_failures_total')).toBe(0);
  expect(await one.text()).toContain('exeunt_process_cpu_seconds_total');
  expect(one.contentType).toContain('text/plain');
});
