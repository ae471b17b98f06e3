import type { Cause, ChannelType, FinalOutcome, Verdict } from '#domain';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export type EventStatus = 'accepted' | 'duplicate' | 'session_ended' | 'rejected';

export interface MetricsOptions {
  /** Also process, heap, event loop and garbage collection, as `exeunt_process_...` and `exeunt_nodejs_...`. */
  processMetrics?: boolean;
}

/** Where one SP's lane stands. */
export interface LaneState {
  inflight: number;
  waiting: number;
  breakerOpen: boolean;
}

const CALL_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const EXPOSURE_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 3_600, 21_600, 86_400];

/**
 * All metrics of Exeunt, in one place and in `docs/metrics.md`, which a test keeps equal to this. Callers say what happened, never a metric's name.
 * Labels hold registered things only (SPs, IdPs, route patterns), never what a stranger sends.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly contentType = this.registry.contentType;
  private readonly readings: (() => void | Promise<void>)[] = [];

  private readonly events = this.counter('exeunt_events_total', 'Session events taken in, by what became of them.', [
    'idp',
    'type',
    'status',
  ]);
  private readonly logouts = this.counter('exeunt_logouts_total', 'Logouts recorded.', ['cause']);
  private readonly logoutsDone = this.counter('exeunt_logouts_completed_total', 'Logouts whose last delivery became final.', ['verdict']);
  private readonly attempts = this.counter('exeunt_attempts_total', 'Attempts that ended, by what the channel found.', [
    'channel',
    'result',
  ]);
  private readonly attemptSeconds = this.histogram('exeunt_attempt_duration_seconds', 'How long attempts took.', ['channel'], CALL_SECONDS);
  private readonly settled = this.counter('exeunt_deliveries_settled_total', 'Deliveries that became final.', ['channel', 'outcome']);
  private readonly exposure = this.histogram(
    'exeunt_logout_exposure_seconds',
    'How long a session stayed alive after its logout was asked for, for deliveries that are proven or promised.',
    [],
    EXPOSURE_SECONDS,
  );
  private readonly open = this.gauge('exeunt_open_logouts', 'Logouts that are not final yet.');
  private readonly oldestOpen = this.gauge(
    'exeunt_oldest_open_logout_seconds',
    'Age of the oldest logout that is not final yet; 0 when there is none.',
  );
  private readonly laneInflight = this.gauge('exeunt_lane_inflight', 'Requests on their way to one SP.', ['sp']);
  private readonly laneWaiting = this.gauge('exeunt_lane_waiting', 'Deliveries that wait for a place in the lane of one SP.', ['sp']);
  private readonly breaker = this.gauge('exeunt_breaker_open', '1 while calls to one SP are held back after failures, else 0.', ['sp']);
  private readonly requeued = this.counter(
    'exeunt_sweeper_requeued_total',
    'Due deliveries that no job held and the sweeper queued again.',
  );
  private readonly egressRefusals = this.counter('exeunt_egress_refused_total', 'Outbound calls that the address policy refused.');
  private readonly samlMessages = this.counter('exeunt_saml_messages_total', 'SAML messages that came in, by what became of them.', [
    'kind',
    'binding',
    'result',
  ]);
  private readonly metadataRefreshes = this.counter(
    'exeunt_saml_metadata_refreshes_total',
    'Fetches of SAML metadata that is registered by its URL, by what they brought.',
    ['result'],
  );
  private readonly requests = this.counter('exeunt_http_requests_total', 'HTTP requests answered.', ['method', 'route', 'status']);
  private readonly requestSeconds = this.histogram(
    'exeunt_http_request_duration_seconds',
    'How long HTTP requests took.',
    ['method', 'route'],
    CALL_SECONDS,
  );
  private readonly authFailures = this.counter('exeunt_auth_failures_total', 'Requests without valid credentials.');

  constructor(options: MetricsOptions = {}) {
    if (options.processMetrics ?? true) collectDefaultMetrics({ register: this.registry, prefix: 'exeunt_' });
  }

  /** A session event was answered. `idp`: a registered one, else missing. */
  eventTaken(type: string, status: EventStatus, idp = ''): void {
    this.events.inc({ idp, type, status });
  }

  logoutStarted(cause: Cause): void {
    this.logouts.inc({ cause });
  }

  logoutCompleted(verdict: Exclude<Verdict, 'pending'>): void {
    this.logoutsDone.inc({ verdict });
  }

  /** One attempt ended. @param durationMs milliseconds */
  attemptDone(channel: ChannelType, result: string, durationMs: number): void {
    this.attempts.inc({ channel, result });
    this.attemptSeconds.observe({ channel }, durationMs / 1_000);
  }

  /** A delivery became final. `channel`: null when none was usable. */
  deliverySettled(channel: ChannelType | null, outcome: FinalOutcome): void {
    this.settled.inc({ channel: channel ?? 'none', outcome });
  }

  /** A session is known to be gone, or promised to be. @param seconds since its logout was asked for */
  sessionWasExposed(seconds: number): void {
    this.exposure.observe(Math.max(0, seconds));
  }

  openLogoutsAre(count: number, oldestSeconds: number): void {
    this.open.set(count);
    this.oldestOpen.set(oldestSeconds);
  }

  laneIs(sp: string, state: LaneState): void {
    this.laneInflight.set({ sp }, state.inflight);
    this.laneWaiting.set({ sp }, state.waiting);
    this.breaker.set({ sp }, state.breakerOpen ? 1 : 0);
  }

  /** The lane of an SP was taken down: its series end. */
  laneGone(sp: string): void {
    for (const gauge of [this.laneInflight, this.laneWaiting, this.breaker]) gauge.remove({ sp });
  }

  sweeperRequeued(deliveries: number): void {
    this.requeued.inc(deliveries);
  }

  egressRefused(): void {
    this.egressRefusals.inc();
  }

  /** A SAML message came in. @param result `accepted`, the code of a refusal, or `failed` for a fault of ours */
  samlMessageTaken(kind: 'request' | 'response' | 'unreadable', binding: 'soap' | 'redirect' | 'post', result: string): void {
    this.samlMessages.inc({ kind, binding, result });
  }

  /** Metadata was fetched again. `failed`: nothing came, or nothing that is taken. */
  samlMetadataRefreshed(result: 'changed' | 'unchanged' | 'failed'): void {
    this.metadataRefreshes.inc({ result });
  }

  /** An HTTP request was answered. @param route the pattern (`/v1/logouts/:id`), never the path @param durationMs milliseconds */
  httpRequestDone(method: string, route: string | undefined, status: number, durationMs: number): void {
    const labels = { method, route: route ?? 'unmatched' };
    this.requests.inc({ ...labels, status });
    this.requestSeconds.observe(labels, durationMs / 1_000);
  }

  authFailed(): void {
    this.authFailures.inc();
  }

  /** Has something read whenever metrics are asked for: for gauges that live elsewhere, such as lanes or counts in the database. */
  readBeforeScrape(read: () => void | Promise<void>): void {
    this.readings.push(read);
  }

  /**
   * The text of `/metrics`. A reading that fails costs its own gauges only: metrics matter most when the database is away.
   * @param onReadingFailed told why a reading failed
   */
  async text(onReadingFailed?: (error: unknown) => void): Promise<string> {
    const results = await Promise.allSettled(this.readings.map(async (read) => read()));
    for (const result of results) if (result.status === 'rejected') onReadingFailed?.(result.reason);
    return this.registry.metrics();
  }

  private counter<Label extends string>(name: string, help: string, labelNames: Label[] = []): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  private gauge<Label extends string>(name: string, help: string, labelNames: Label[] = []): Gauge<Label> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  private histogram<Label extends string>(name: string, help: string, labelNames: Label[], buckets: number[]): Histogram<Label> {
    return new Histogram({ name, help, labelNames, buckets, registers: [this.registry] });
  }
}
