import type { Handles, Layer, NameId } from '#domain';

/** A node of the session graph, as its row says. */
export interface Session {
  graphId: string;
  id: string;
  idpId: string;
  /** The SP that holds it; null at the identity provider. */
  spId: string | null;
  layer: Layer;
  sid: string | null;
  sub: string | null;
  email: string | null;
  nameId: NameId | null;
  sessionIndex: string | null;
  /** The `sid` by which the SP knows it: its own, else the one of the session it hangs on. */
  tokenSid: string | null;
  tokenSub: string | null;
  state: 'live' | 'ended';
  startedAt: Date;
  touchedAt: Date;
  expiresAt: Date | null;
  idleTimeoutSeconds: number | null;
  endedAt: Date | null;
  /** The logout that ended it; its deliveries say who has been told. */
  endedBy: string | null;
}

/** Names one session, or several. */
export interface Target extends Handles {
  sessionId?: string;
  /** Of the sessions that `nameId` names, those with one of these; empty: all of them. @see SLO-23, SLO-27 */
  sessionIndexes?: string[];
  /** Only sessions at this SP. @see SLO-89 */
  spId?: string;
}

/** Names the session that a new one hangs on. */
export interface ParentReference {
  sid?: string;
  sessionIndex?: string;
  sessionId?: string;
}

/** The columns of a session, in the spelling of {@link Session}. */
export const SESSION_COLUMNS = `s.graph_id AS "graphId", s.id, s.idp_id AS "idpId", s.sp_id AS "spId", s.layer, s.sid, s.sub, s.email,
  s.name_id AS "nameId", s.session_index AS "sessionIndex", s.token_sid AS "tokenSid", s.token_sub AS "tokenSub", s.state,
  s.started_at AS "startedAt", s.touched_at AS "touchedAt", s.expires_at AS "expiresAt", s.idle_timeout_s AS "idleTimeoutSeconds",
  s.ended_at AS "endedAt", s.ended_by AS "endedBy"`;
