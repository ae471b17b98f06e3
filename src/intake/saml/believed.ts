import type { RefusalCode } from '#protocol/saml';

/**
 * What can be wrong with a message whose signature is good: its sender is who it says, and is owed an answer. All else is a stranger's until it is proven,
 * and nothing is signed for strangers.
 * @see SLO-55, SLO-59, SLO-81
 */
const AFTER_SIGNATURE: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'wrong_version',
  'expired',
  'not_yet_valid',
  'undecryptable',
  'replayed',
]);

export function isBelieved({ code }: { code: RefusalCode }): boolean {
  return AFTER_SIGNATURE.has(code);
}
