import type { Clock } from '#domain';
import type { Database } from '#platform/database';
import type { CoordinateLogout, LogoutRequest } from './coordinate-logout.js';

/** A logout token of an upstream OP that has passed every check. */
export interface VerifiedLogout {
  idpId: string;
  sid?: string;
  sub?: string;
  jti: string;
  /** Until when its `jti` must be remembered. */
  forgetAt: Date;
}

/**
 * Ends what an upstream OP's logout token names. The `jti` is taken in the same transaction, so that of two copies that come at once one is
 * carried out, and none is lost when we crash between the two.
 * @see BCL-42 BCL-43 BCL-45
 */
export class EndByLogoutToken {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly coordinateLogout: CoordinateLogout,
  ) {}

  async end(logout: VerifiedLogout): Promise<'ended' | 'nothing-to-end' | 'replayed'> {
    const request: LogoutRequest = {
      target: { ...(logout.sid === undefined ? {} : { sid: logout.sid }), ...(logout.sub === undefined ? {} : { sub: logout.sub }) },
      cause: 'unspecified',
      initiator: 'idp',
      scope: 'session',
      reason: 'back-channel logout token',
    };
    const answers = await this.database.transaction(async (sql) => {
      const taken = await sql.query(
        `INSERT INTO seen_tokens (idp_id, jti, forget_at) VALUES ($1, $2, $3)
         ON CONFLICT (idp_id, jti) DO UPDATE SET forget_at = excluded.forget_at WHERE seen_tokens.forget_at < $4 RETURNING jti`,
        [logout.idpId, logout.jti, logout.forgetAt, this.clock.now()],
      );
      return taken.length === 0 ? null : this.coordinateLogout.endInTransaction(sql, logout.idpId, [request]);
    });
    if (answers === null) return 'replayed';
    this.coordinateLogout.begin(answers, [request]);
    return answers[0]!.kind === 'started' ? 'ended' : 'nothing-to-end';
  }
}
