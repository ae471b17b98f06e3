import type { OidcBackchannelConfig } from '#registry';

/** What a logout token will name, or why none can be built. */
export type Subject = { sid: string | null; sub: string | null } | { unusable: string };

/**
 * Which of `sid` and `sub` an SP is told. By session: all that is known, so that the SP may find it by either. By user: `sub` alone, which
 * ends every session of the user at that SP, unless there is none or the SP requires `sid`.
 * @see BCL-5, BCL-16, BCL-17
 */
export function chooseSubject(
  channel: Pick<OidcBackchannelConfig, 'sessionRequired' | 'tell'>,
  known: { sid: string | null; sub: string | null },
): Subject {
  if (channel.sessionRequired && !known.sid) {
    return { unusable: 'the SP requires sid (backchannel_logout_session_required), and the session has none' };
  }
  if (!known.sid && !known.sub) return { unusable: 'a logout token needs sid or sub, and the session has neither' };
  const byUserAlone = channel.tell === 'user' && known.sub && !channel.sessionRequired;
  return { sid: byUserAlone ? null : known.sid, sub: known.sub };
}
