import type { Cause, Clock, NameId } from '#domain';
import type { Database, Sql } from '#platform/database';
import type { CoordinateLogout, LogoutAnswer, LogoutRequest } from './coordinate-logout.js';

/** A LogoutRequest that has passed every check. */
export interface VerifiedSamlLogout {
  idpId: string;
  /** entityID of the sender, and the ID of its message: they come once. */
  issuer: string;
  messageId: string;
  /** Until when the ID must be remembered. */
  forgetAt: Date;
  /** The SP that asks for its own sessions, and what hangs together with them, to end; null: the IdP itself asks. */
  sp: { id: string; mayEndRoot: boolean } | null;
  nameId: NameId;
  /** Empty: all sessions of the principal. */
  sessionIndexes: string[];
  cause: Cause;
  /** Until when a login that is still on its way is ended, too: the NotOnOrAfter of the request. @see SLO-24 */
  rememberUntil?: Date;
}

/**
 * Ends what a LogoutRequest names. An SP reaches its own sessions alone; from there the logout goes up to the session at the IdP, where the SP may, and
 * down to all others. The ID of the message is taken in the same transaction, so that of two copies that come at once one is carried out, and none is
 * lost when we crash between the two.
 * @see SLO-23 SLO-25 SLO-27 SLO-88 SLO-89
 */
export class EndBySamlRequest {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly coordinateLogout: CoordinateLogout,
  ) {}

  /**
   * @param within writes in the same transaction, knowing what the request led to.
   * @returns null for a message that has come before: then nothing has changed.
   */
  async end<Extra>(
    logout: VerifiedSamlLogout,
    within: (sql: Sql, answer: LogoutAnswer) => Promise<Extra>,
  ): Promise<{ answer: LogoutAnswer; extra: Extra } | null> {
    const request = requestOf(logout);
    const done = await this.database.transaction(async (sql) => {
      if (!(await this.takeMessageId(sql, logout))) return null;
      const [answer] = await this.coordinateLogout.endInTransaction(sql, logout.idpId, [request]);
      return { answer: answer!, extra: await within(sql, answer!) };
    });
    if (done !== null) this.coordinateLogout.begin([done.answer], [request]);
    return done;
  }

  private async takeMessageId(sql: Sql, { idpId, issuer, messageId, forgetAt }: VerifiedSamlLogout): Promise<boolean> {
    const taken = await sql.query(
      `INSERT INTO seen_messages (idp_id, issuer, message_id, forget_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT (idp_id, issuer, message_id) DO UPDATE SET forget_at = excluded.forget_at WHERE seen_messages.forget_at < $5 RETURNING 1`,
      [idpId, issuer, messageId, forgetAt, this.clock.now()],
    );
    return taken.length > 0;
  }
}

function requestOf({ sp, nameId, sessionIndexes, cause, rememberUntil }: VerifiedSamlLogout): LogoutRequest {
  return {
    target: { nameId, sessionIndexes, ...(sp === null ? {} : { spId: sp.id }) },
    cause,
    initiator: sp === null ? 'idp' : 'sp',
    scope: sp?.mayEndRoot === true ? 'root' : 'session',
    reason: 'SAML LogoutRequest',
    ...(rememberUntil === undefined ? {} : { rememberUntil }),
  };
}
