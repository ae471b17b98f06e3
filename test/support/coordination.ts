import { CoordinateLogout, EndByLogoutToken, EndBySamlRequest, TakeEvents } from '#coordinator';
import type { EventResult, SessionEvent } from '#coordinator';
import type { Outbox } from '#dispatch';
import { ensureAttemptPartitions } from '#ledger';
import { createDataSource, Database } from '#platform/database';
import { Metrics } from '#platform/telemetry';
import { freshDatabase } from './postgres.js';

/** A clock that a test moves. */
export class TestClock {
  constructor(private time = Date.now()) {}
  now(): Date {
    return new Date(this.time);
  }
  advance(ms: number): void {
    this.time += ms;
  }
}

/** Coordinator, graph and ledger on a real database, without a queue: what would go to it is collected. */
export interface Coordination {
  database: Database;
  clock: TestClock;
  takeEvents: TakeEvents;
  coordinateLogout: CoordinateLogout;
  endByLogoutToken: EndByLogoutToken;
  endBySamlRequest: EndBySamlRequest;
  enqueued: string[];
  scheduled: { logoutId: string; at: Date }[];
  /** Registers an SP of the IdP `idp`, straight in the database. */
  registerSp(
    id: string,
    more?: { idp?: string; layer?: 'sp' | 'gateway'; channels?: object[]; saml?: object; mayEndRoot?: boolean; enabled?: boolean },
  ): Promise<void>;
  take(...events: Partial<SessionEvent>[]): Promise<EventResult[]>;
  /** Forgets all sessions, logouts, events and SPs. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

const SETTINGS = { deliveryDeadlineSeconds: 86_400, layerWaitMs: 2_000, browserWaitMs: 3_600_000, sweepGraceSeconds: 15 };

export const backchannel = (uri = 'https://rp.example/logout', more: object = {}): object => ({
  type: 'oidc-backchannel',
  clientId: 'client',
  uri,
  sessionRequired: false,
  signingAlg: 'RS256',
  tell: 'session',
  ...more,
});

/** A SAML SP that offers these bindings, in the order in which it is told over them. */
export const samlSp = (...bindings: ('soap' | 'redirect' | 'post')[]): { channels: object[]; saml: object } => ({
  channels: [{ type: 'saml', bindings, encryptNameId: false, allowSha1: false }],
  saml: {
    entityId: 'https://sp.example/saml',
    singleLogoutServices: bindings.map((binding) => ({ binding, location: `https://sp.example/${binding}` })),
    signingCertificates: [],
    encryptionKeys: [],
    validUntil: null,
  },
});

export async function startCoordination(): Promise<Coordination> {
  const fresh = await freshDatabase();
  const dataSource = await createDataSource({ url: fresh.url, poolSize: 20, statementTimeoutMs: 30_000 }).initialize();
  const database = new Database(dataSource);
  const clock = new TestClock();
  await ensureAttemptPartitions(database, clock.now());
  for (const idp of ['idp', 'other']) await database.query('INSERT INTO identity_providers (id, name) VALUES ($1, $1)', [idp]);
  const enqueued: string[] = [];
  const scheduled: { logoutId: string; at: Date }[] = [];
  const outbox = {
    enqueue: (ids: readonly string[]) => void enqueued.push(...ids),
    schedule: (logoutId: string, at: Date) => void scheduled.push({ logoutId, at }),
  } as unknown as Outbox;
  const metrics = new Metrics({ processMetrics: false });
  const coordinateLogout = new CoordinateLogout(database, clock, outbox, metrics, SETTINGS);
  const takeEvents = new TakeEvents(database, clock, coordinateLogout, metrics);
  let next = 0;
  return {
    database,
    clock,
    takeEvents,
    coordinateLogout,
    endByLogoutToken: new EndByLogoutToken(database, clock, coordinateLogout),
    endBySamlRequest: new EndBySamlRequest(database, clock, coordinateLogout),
    enqueued,
    scheduled,
    registerSp: async (id, more = {}) => {
      await database.query(
        `INSERT INTO service_providers (id, idp_id, name, layer, channels, may_end_root, enabled, saml) VALUES ($1, $2, $1, $3, $4, $5, $6, $7)`,
        [
          id,
          more.idp ?? 'idp',
          more.layer ?? 'sp',
          JSON.stringify(more.channels ?? [backchannel()]),
          more.mayEndRoot ?? true,
          more.enabled ?? true,
          more.saml ?? null,
        ],
      );
    },
    take: (...events) =>
      takeEvents.take(
        events[0]!.idp ?? 'idp',
        events.map((event) => complete(event, `e${++next}`)),
      ),
    reset: async () => {
      enqueued.length = 0;
      scheduled.length = 0;
      await database.query(
        'TRUNCATE sessions, session_edges, intake_events, seen_tokens, seen_messages, saml_tombstones, logouts, deliveries, attempts, report_delivery_deltas, report_logout_deltas, service_providers CASCADE',
      );
    },
    close: async () => {
      await dataSource.destroy();
      await fresh.drop();
    },
  };
}

/** The parts of an event that a test does not care about. */
function complete(event: Partial<SessionEvent>, id: string): SessionEvent {
  const base = { id, idp: 'idp', ...event };
  switch (base.type) {
    case 'session.started':
      return { handles: {}, expiresAt: null, idleTimeoutSeconds: null, ...base } as SessionEvent;
    case 'session.joined':
      return { handles: {}, expiresAt: null, idleTimeoutSeconds: null, ...base } as SessionEvent;
    case 'session.touched':
      return { expiresAt: null, ...base } as SessionEvent;
    case 'session.ended':
      return { cause: 'user', initiator: 'user', scope: 'session', reason: null, ...base } as SessionEvent;
    case undefined:
      throw new Error('an event needs a type');
  }
}
