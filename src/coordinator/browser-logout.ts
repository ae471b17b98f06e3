import { createHash, randomBytes } from 'node:crypto';
import { newId } from '#domain';
import type { Clock, Verdict } from '#domain';
import type { BrowserLegs } from '#dispatch';
import { readFlowDeliveries, readLogout } from '#ledger';
import type { FlowDelivery } from '#ledger';
import type { Config } from '#platform/config';
import type { Database, Sql, Statement } from '#platform/database';

/** Who is owed an answer at the end of a flow, and what must be in it. */
export interface FlowReply {
  protocol: 'saml';
  /** The SP that asked; null: the IdP did. */
  spId: string | null;
  /** ID of its LogoutRequest. */
  inResponseTo: string;
  /** How it came: the answer goes back that way, if it can. @see SLO-56 */
  binding: 'redirect' | 'post';
  /** To be given back as it came. @see SLO-52 */
  relayState: string | null;
}

/** A browser on its way through a logout, as it stands now. */
export interface FlowState {
  id: string;
  idpId: string;
  /** Null: there was nothing to end. */
  logoutId: string | null;
  /** `complete` where there was nothing to end. */
  verdict: Verdict;
  deliveries: FlowDelivery[];
  reply: FlowReply | null;
  /** The one who is owed an answer gets it by then, whatever is open. */
  answerBy: Date;
  answeredAt: Date | null;
  /** Nothing more can come of waiting: all is final, or waits for what this page cannot bring. */
  isSettled: boolean;
}

type Row = Pick<FlowState, 'id' | 'idpId' | 'logoutId' | 'reply' | 'answerBy' | 'answeredAt'>;

const COLUMNS = `id, idp_id AS "idpId", logout_id AS "logoutId", reply, answer_by AS "answerBy", answered_at AS "answeredAt"`;
const START: Statement = {
  name: 'start-browser-flow',
  text: `INSERT INTO browser_flows (id, token_hash, idp_id, logout_id, reply, started_at, answer_by, forget_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
};
const FIND: Statement = {
  name: 'find-browser-flow',
  text: `SELECT ${COLUMNS} FROM browser_flows WHERE token_hash = $1 AND forget_at > $2`,
};
const ANSWERED: Statement = {
  name: 'answer-browser-flow',
  text: `UPDATE browser_flows SET answered_at = COALESCE(answered_at, $2) WHERE token_hash = $1 AND forget_at > $2 RETURNING ${COLUMNS}`,
};

/**
 * The browser's way through a logout: which SPs it is sent to, what they answered, and when the one who asked gets his answer. The page in
 * `intake/browser` shows it; the legs themselves are dispatch's.
 */
export class BrowserLogout {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly legs: BrowserLegs,
    private readonly settings: Pick<Config['browser'], 'answerWithinMs' | 'flowSeconds'>,
  ) {}

  /**
   * Begins a flow, in the transaction that ended the sessions, so that it is there whatever happens after.
   * @returns the secret of its URL: whoever has it sees the flow and carries it out, so it goes to the browser alone. 256 bits, base64url.
   */
  async start(
    sql: Sql,
    flow: { idpId: string; logoutId: string | null; reply: FlowReply | null },
  ): Promise<{ token: string; expiresAt: Date }> {
    const now = this.clock.now();
    const token = randomBytes(32).toString('base64url');
    const answerBy = new Date(now.getTime() + this.settings.answerWithinMs);
    const expiresAt = new Date(now.getTime() + this.settings.flowSeconds * 1_000);
    const reply = flow.reply === null ? null : JSON.stringify(flow.reply);
    await sql.query(START, [newId(now.getTime()), hashOf(token), flow.idpId, flow.logoutId, reply, now, answerBy, expiresAt]);
    return { token, expiresAt };
  }

  /** As {@link start}, for a logout that is under way already. */
  async open(idpId: string, logoutId: string): Promise<{ token: string; expiresAt: Date }> {
    return this.start(this.database, { idpId, logoutId, reply: null });
  }

  /** How the flow stands; legs from which the browser has not come back in time are ended first. Null: there is no such flow, or its time is over. */
  async read(token: string): Promise<FlowState | null> {
    const flow = await this.find(token);
    if (flow === null) return null;
    if (flow.logoutId !== null) await this.legs.closeLost({ id: flow.id, logoutId: flow.logoutId });
    return this.stateOf(flow);
  }

  /** Where to send the browser for this delivery; null: nowhere (it has been told, is being told, or its time is over). */
  async beginLeg(token: string, n: number): ReturnType<BrowserLegs['begin']> {
    const flow = await this.find(token);
    return flow?.logoutId ? this.legs.begin({ id: flow.id, logoutId: flow.logoutId }, n) : null;
  }

  /** Takes the answer that an SP sent with the browser. @returns false when no such message of that SP is outstanding. @see SLO-13 */
  async takeAnswer(
    answer: { idpId: string; spId: string; inResponseTo: string },
    result: Parameters<BrowserLegs['answered']>[1],
  ): Promise<boolean> {
    return this.legs.answered(answer, result);
  }

  /** The flow as it stands at its end, which is now. Asked twice it says the same: a browser may have lost the answer. */
  async finish(token: string): Promise<FlowState | null> {
    const [flow] = await this.database.query<Row>(ANSWERED, [hashOf(token), this.clock.now()]);
    return flow ? this.stateOf(flow) : null;
  }

  private async find(token: string): Promise<Row | null> {
    return (await this.database.query<Row>(FIND, [hashOf(token), this.clock.now()]))[0] ?? null;
  }

  private async stateOf(flow: Row): Promise<FlowState> {
    if (flow.logoutId === null) return { ...flow, verdict: 'complete', deliveries: [], isSettled: true };
    const [logout, deliveries] = await Promise.all([
      readLogout(this.database, flow.logoutId),
      readFlowDeliveries(this.database, flow.logoutId, flow.id, this.clock.now()),
    ]);
    // Forgotten by the retention: it was complete long ago.
    const verdict = logout?.verdict ?? 'complete';
    return { ...flow, verdict, deliveries, isSettled: deliveries.every(isSettledHere) };
  }
}

/** Final, or waiting for a browser that has been where it could go. */
function isSettledHere({ outcome, isDue, isUnderWay }: FlowDelivery): boolean {
  if (outcome === 'awaiting-browser') return !isDue && !isUnderWay;
  return outcome !== 'pending' && outcome !== 'retrying';
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
