import type { ParentReference, Session } from './session.js';

/** The sessions that a batch of joins may name, by each of their names: a batch has up to 1,000 joins, and each must not look at all of them. */
export class KnownSessions {
  private readonly byId = new Map<string, Session[]>();
  private readonly bySid = new Map<string, Session[]>();
  private readonly bySessionIndex = new Map<string, Session[]>();

  constructor(sessions: readonly Session[]) {
    for (const session of sessions) this.add(session);
  }

  add(session: Session): void {
    put(this.byId, session.id, session);
    put(this.bySid, session.sid, session);
    put(this.bySessionIndex, session.sessionIndex, session);
  }

  /** Those that bear every name of the reference, in the order in which they were added; none for a reference without names. */
  named(reference: ParentReference): Session[] {
    const { sid, sessionIndex } = reference;
    const sessionId = reference.sessionId?.toLowerCase();
    const lists = [
      ...(sessionId === undefined ? [] : [this.byId.get(sessionId) ?? []]),
      ...(sid === undefined ? [] : [this.bySid.get(sid) ?? []]),
      ...(sessionIndex === undefined ? [] : [this.bySessionIndex.get(sessionIndex) ?? []]),
    ];
    const [first = [], ...others] = lists.sort((a, b) => a.length - b.length);
    return first.filter((session) => others.every((list) => list.includes(session)));
  }
}

function put(map: Map<string, Session[]>, key: string | null, session: Session): void {
  if (key === null) return;
  const list = map.get(key);
  if (list) list.push(session);
  else map.set(key, [session]);
}
