import { newId } from '#domain';
import type { Handles } from '#domain';
import type { Session } from './session.js';

/** A live session at an identity provider, with no end of its own. It begins a graph and gives it its name. */
export function newRoot(idpId: string, handles: Handles, now: Date): Session {
  const id = newId(now.getTime());
  return {
    graphId: id,
    id,
    idpId,
    spId: null,
    layer: 'idp',
    sid: handles.sid ?? null,
    sub: handles.sub ?? null,
    email: handles.email ?? null,
    nameId: handles.nameId ?? null,
    sessionIndex: handles.sessionIndex ?? null,
    tokenSid: handles.sid ?? null,
    tokenSub: handles.sub ?? null,
    state: 'live',
    startedAt: now,
    touchedAt: now,
    expiresAt: null,
    idleTimeoutSeconds: null,
    endedAt: null,
    endedBy: null,
  };
}
