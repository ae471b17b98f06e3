import type { LogoutAnswer } from '#coordinator';
import { messageOf } from '#domain';
import type { Logger, Metrics } from '#platform/telemetry';
import { quotePeer } from '#protocol/oidc';
import type { SamlBinding, SamlMessageKind, SamlMessageRefused } from '#protocol/saml';

/** What a message came to: for the log and the metrics, never for the sender. No NameID, no XML. */
export interface MessageRecord {
  /** As it stood in the path. */
  idpId: string;
  binding: SamlBinding;
  kind: SamlMessageKind | 'unreadable';
  /** Null: nobody is known to have sent it. */
  party: { spId: string | null } | null;
  /** Signed with SHA-1, by a peer that may. @see SLO-84 */
  isLegacy?: boolean;
  end:
    | { is: 'accepted'; led: LogoutAnswer['kind'] | 'answered'; logoutId?: string | null }
    | { is: 'refused'; refusal: Pick<SamlMessageRefused, 'code' | 'clause' | 'description' | 'detail'> }
    | { is: 'failed'; fault: unknown };
}

/** One line and one count a message. */
export function recordMessage(log: Logger, metrics: Metrics, record: MessageRecord, requestId: string): void {
  const { idpId, binding, kind, party, end } = record;
  const from = party === null ? {} : { party: party.spId ?? 'identity provider' };
  const about = { requestId, idp: quotePeer(idpId, 64), binding, kind, ...from };
  if (record.isLegacy === true)
    log.warn({ ...about, clause: 'SLO-84' }, 'SAML message signed with SHA-1, which its sender may (allowSha1)');
  switch (end.is) {
    case 'accepted':
      metrics.samlMessageTaken(kind, binding, 'accepted');
      log.info({ ...about, led: end.led, ...(end.logoutId ? { logoutId: end.logoutId } : {}) }, 'SAML message received');
      return;
    case 'refused': {
      const { code, clause, description, detail } = end.refusal;
      metrics.samlMessageTaken(kind, binding, code);
      log.warn({ ...about, code, clause, description, detail }, 'SAML message refused');
      return;
    }
    case 'failed':
      metrics.samlMessageTaken(kind, binding, 'failed');
      log.error({ ...about, err: end.fault }, `SAML message failed: ${messageOf(end.fault)}`);
  }
}
