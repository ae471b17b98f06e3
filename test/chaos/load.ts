import type { Api } from './api.js';

export const IDP = 'chaos-op';

/** A session at an SP that must be told. */
export interface Expected {
  sp: string;
  sid: string;
  /** The logout that was acknowledged; null for a session that joined after it, whose logout has an id that nobody was told. */
  logoutId: string | null;
}

interface EventAnswer {
  results: { id: string; status: string; logoutId?: string; error?: { detail?: string } }[];
}

/** An IdP that reports logins and logouts, and reports them again, under the same ids, until it is told that they were taken. */
export class Load {
  /** All that was acknowledged. */
  readonly expected: Expected[] = [];
  readonly logoutIds = new Set<string>();
  /** Events whose acknowledgement was lost, and came when they were sent again. */
  duplicates = 0;

  constructor(
    private readonly api: Api,
    private readonly sps: readonly string[],
  ) {}

  /** Users log in everywhere, and out; every tenth has an SP that reports its login too late. */
  async logInAndOut(users: readonly number[]): Promise<void> {
    await this.send(users.flatMap((user) => this.logins(user)));
    const ended = await this.send(
      users.map((user) => ({ id: `out-${user}`, type: 'session.ended', idp: IDP, handles: { sid: `s${user}` }, initiator: 'user' })),
    );
    ended.forEach(({ logoutId, id }, at) => {
      if (logoutId === undefined) throw new Error(`event ${id} was acknowledged without its logout`);
      this.logoutIds.add(logoutId);
      for (const sp of this.sps) this.expected.push({ sp, sid: `s${users[at]}-${sp}`, logoutId });
    });
    await this.joinLate(users.filter((user) => user % 10 === 0));
  }

  private logins(user: number): object[] {
    const login = { id: `in-${user}`, type: 'session.started', idp: IDP, handles: { sid: `s${user}`, sub: `u${user}` } };
    return [login, ...this.sps.map((sp) => this.join(user, sp, `s${user}-${sp}`))];
  }

  private async joinLate(users: readonly number[]): Promise<void> {
    if (users.length === 0) return;
    const sp = this.sps.at(-1)!;
    await this.send(users.map((user) => this.join(user, sp, `s${user}-late`)));
    for (const user of users) this.expected.push({ sp, sid: `s${user}-late`, logoutId: null });
  }

  private join(user: number, sp: string, sid: string): object {
    return { id: `join-${sid}`, type: 'session.joined', idp: IDP, parent: { sid: `s${user}` }, sp, handles: { sid } };
  }

  private async send(events: readonly object[]): Promise<EventAnswer['results']> {
    const { results } = await this.api.call<EventAnswer>('POST', '/v1/events', { events });
    for (const result of results) {
      if (result.status === 'rejected') throw new Error(`event ${result.id} was rejected: ${result.error?.detail}`);
      if (result.status === 'duplicate') this.duplicates++;
    }
    return results;
  }
}
