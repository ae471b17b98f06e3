import type { Cause, ChannelType, FinalOutcome, Initiator, Layer, LogoutScope, OpenOutcome, Outcome, SamlSubject, Verdict } from '#domain';

/** A logout that is about to be written, with its deliveries. */
export interface PlannedLogout {
  id: string;
  graphId: string;
  idpId: string;
  cause: Cause;
  initiator: Initiator;
  scope: LogoutScope;
  reason: string | null;
  /** What was asked for, as it was asked. */
  target: object;
  /** The logout whose ended graph this one cleans up after. */
  follows: string | null;
  requestedAt: Date;
  deadlineAt: Date;
  /** How many sessions it ended. */
  sessions: number;
  deliveries: PlannedDelivery[];
}

export interface PlannedDelivery {
  n: number;
  graphId: string;
  spId: string;
  sessionId: string;
  /** Further sessions that the same message ends. */
  alsoSessions: string[];
  layer: Layer;
  tokenSid: string | null;
  tokenSub: string | null;
  /** What a SAML SP knows it by; null where no channel of the SP is SAML. */
  saml: SamlSubject | null;
  channel: ChannelType | null;
  /** `confirmed`: the SP itself asked for this logout, and has nothing to be told. */
  outcome: 'pending' | 'awaiting-browser' | 'skipped' | 'confirmed';
  /** Why it is skipped, or confirmed. */
  detail: string | null;
  /** When it is due; while it awaits a browser, until when. */
  nextAttemptAt: Date | null;
  sessionExpiresAt: Date | null;
}

/**
 * A delivery that this process may attempt now: leased, its attempt row written. One that is `awaiting-browser` is here because no browser came
 * in time, and has no attempt.
 */
export interface LeasedDelivery {
  logoutId: string;
  n: number;
  idpId: string;
  spId: string;
  sessionId: string;
  layer: Layer;
  tokenSid: string | null;
  tokenSub: string | null;
  /** What a SAML SP knows it by; null where no channel of the SP is SAML. */
  saml: SamlSubject | null;
  channelIndex: number;
  outcome: OpenOutcome;
  /** Number of the attempt that was just written. */
  attempt: number;
  /** How often this channel has been tried, this attempt included. */
  triesOnChannel: number;
  startedAt: Date;
  /** When it was due; while it awaits a browser, until when. */
  dueAt: Date;
  requestedAt: Date;
  deadlineAt: Date;
  sessionExpiresAt: Date | null;
  leaseUntil: Date;
}

/** The end of one attempt and what follows from it. */
export interface Settlement {
  logoutId: string;
  n: number;
  /** The attempt that ended; null when the delivery is given up without one. */
  attempt: {
    n: number;
    /** The channel that carried it; `none` when there was none left. */
    channel: ChannelType | 'none';
    startedAt: Date;
    durationMs: number;
    result: string;
    httpStatus: number | null;
    jti: string | null;
    error: string | null;
  } | null;
  next: FinalState | OpenState;
}

/** How a delivery ended for good. */
export interface FinalState {
  outcome: FinalOutcome;
  settledAt: Date;
  detail: string | null;
}

/** How it goes on. */
export interface OpenState {
  outcome: 'retrying' | 'awaiting-browser';
  /** When it is due; while it awaits a browser, until when. */
  nextAttemptAt: Date;
  detail: string | null;
  /** Set when it moves to another channel. */
  channelIndex?: number;
  channel?: ChannelType;
}

export function isFinal(next: FinalState | OpenState): next is FinalState {
  return 'settledAt' in next;
}

/** What a settlement did. */
export interface Settled {
  logoutId: string;
  n: number;
  /** False when somebody else had settled it already, or a newer attempt runs. */
  applied: boolean;
}

/** A logout that a settlement completed. */
export interface CompletedLogout {
  logoutId: string;
  verdict: Verdict;
  requestedAt: Date;
  completedAt: Date;
}

export interface AttemptRecord {
  n: number;
  channel: string;
  startedAt: Date;
  durationMs: number | null;
  result: string | null;
  httpStatus: number | null;
  jti: string | null;
  error: string | null;
}

export interface DeliveryRecord {
  n: number;
  spId: string;
  sessionId: string;
  alsoSessions: string[] | null;
  layer: Layer;
  channel: string | null;
  outcome: Outcome;
  detail: string | null;
  exposureMs: number | null;
  nextAttemptAt: Date | null;
  settledAt: Date | null;
}

export interface LogoutRecord {
  id: string;
  idpId: string;
  cause: Cause;
  initiator: Initiator;
  scope: LogoutScope;
  reason: string | null;
  target: object;
  follows: string | null;
  requestedAt: Date;
  deadlineAt: Date;
  completedAt: Date | null;
  verdict: Verdict;
  sessions: number;
  deliveries: number;
  open: number;
}
