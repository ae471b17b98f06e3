import type { Caller } from '#access';
import { ExeuntError } from '#domain';

/**
 * The identity provider to which a list or report must be confined: the caller's own, or the one that was asked for; undefined: all of them.
 * @throws ExeuntError `forbidden` when a key asks for another one by name.
 */
export function idpInReach(caller: Caller, asked: string | undefined): string | undefined {
  if (caller.kind !== 'idp') return asked;
  if (asked !== undefined && asked !== caller.idpId) {
    throw new ExeuntError('forbidden', `This key is of identity provider "${caller.idpId}"`, [
      { field: '/idp', seen: asked, rule: `must be "${caller.idpId}", or left out` },
    ]);
  }
  return caller.idpId;
}

/** Whether the caller may know of what belongs to this identity provider. */
export function reaches(caller: Caller, idpId: string): boolean {
  return caller.kind === 'admin' || (caller.kind === 'idp' && caller.idpId === idpId);
}
