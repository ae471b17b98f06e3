import type { LogoutAnswer } from '#coordinator';
import { isExeuntError } from '#domain';
import type { Clock } from '#domain';
import { judgeLogoutStatus, SamlMessageRefused } from '#protocol/saml';
import type { IncomingMessage, SamlStatus, VerifiedLogoutRequest, VerifiedLogoutResponse } from '#protocol/saml';
import type { BrowserAnswer } from '../browser-answer.js';
import type { BelieveMessage, ClaimedMessage } from './believe-message.js';
import { isBelieved } from './believed.js';
import { logoutOf } from './logout-of.js';
import type { MessageRecord } from './message-record.js';
import type { BrowserFlows, SamlRequestEnding } from './ports.js';
import { OUR_FAULT, ROOT_REFUSED, statusOfRefusal } from './status-of.js';
import type { WriteAnswer } from './write-answer.js';

/** What the browser is shown. */
export type Shown =
  /** It goes on to the page that carries the logout out. */
  | { what: 'flow'; token: string }
  /** It goes back to the sender, with our answer. */
  | { what: 'answer'; answer: BrowserAnswer }
  /** The SP's answer is taken. */
  | { what: 'taken' }
  /** There is nobody to whom it could be sent. @see SLO-55 */
  | { what: 'error'; status: 400 | 404 | 500 | 503 };

interface Received {
  shown: Shown;
  record: MessageRecord;
}

/** How far a message has come, so that it is known whom a failure is told. */
interface Progress {
  claimed: ClaimedMessage | null;
  verified: VerifiedLogoutRequest | VerifiedLogoutResponse | null;
}

/**
 * Messages that come with a person's browser. A request ends what it names, and its sender gets the answer when the browser has been everywhere; an answer
 * of an SP is held against the request that went out to it.
 * @see SLO-13, SLO-15, SLO-23 to SLO-25, SLO-55, SLO-81
 */
export class ReceiveFrontChannel {
  constructor(
    private readonly believe: BelieveMessage,
    private readonly ending: SamlRequestEnding,
    private readonly flows: BrowserFlows,
    private readonly answers: WriteAnswer,
    private readonly clock: Clock,
  ) {}

  /** @throws never: what goes wrong is in the record. */
  async receive(idpId: string, binding: 'redirect' | 'post', parse: () => IncomingMessage): Promise<Received> {
    const record: Omit<MessageRecord, 'end'> = { idpId, binding, kind: 'unreadable', party: null };
    const progress: Progress = { claimed: null, verified: null };
    try {
      await this.believe.checkEndpoint(idpId);
      const message = await this.believe.read(parse);
      record.kind = message.kind;
      const claimed = (progress.claimed = await this.believe.identify(idpId, message));
      record.party = { spId: claimed.party.spId };
      const { verified, isLegacy } = await this.believe.verify(claimed);
      progress.verified = verified;
      record.isLegacy = isLegacy;
      const done = verified.kind === 'request' ? await this.end(claimed, verified, binding) : await this.take(claimed, verified);
      return { shown: done.shown, record: { ...record, end: { is: 'accepted', ...done.end } } };
    } catch (error) {
      const end =
        error instanceof SamlMessageRefused ? { is: 'refused' as const, refusal: error } : { is: 'failed' as const, fault: error };
      return { shown: await this.showFailure(error, progress, binding), record: { ...record, end } };
    }
  }

  private async end({ idpId, party }: ClaimedMessage, request: VerifiedLogoutRequest, binding: 'redirect' | 'post') {
    const { id, relayState, asynchronous } = request;
    // Who neither expects nor needs an answer gets none. @see ASLO-3
    const reply = asynchronous ? null : { protocol: 'saml' as const, spId: party.spId, inResponseTo: id, binding, relayState };
    const done = await this.ending.end(logoutOf(idpId, party, request, this.clock.now()), async (sql, answer) =>
      answer.kind === 'root-refused' ? null : this.flows.start(sql, { idpId, logoutId: logoutIdOf(answer), reply }),
    );
    if (done === null) throw replayed();
    const { answer, extra: flow } = done;
    const shown = flow === null ? await this.tell(ROOT_REFUSED, { idpId, party }, request) : { what: 'flow' as const, token: flow.token };
    return { shown, end: { led: answer.kind, logoutId: logoutIdOf(answer) } };
  }

  private async take({ idpId, party }: ClaimedMessage, { inResponseTo, status }: VerifiedLogoutResponse) {
    const isTaken =
      inResponseTo !== null &&
      party.spId !== null &&
      (await this.flows.takeAnswer({ idpId, spId: party.spId, inResponseTo }, judgeLogoutStatus(status)));
    if (!isTaken) {
      throw new SamlMessageRefused('not_outstanding', 'SLO-13', 'InResponseTo names no message to this party that is waited for');
    }
    return { shown: { what: 'taken' as const }, end: { led: 'answered' as const } };
  }

  private async showFailure(error: unknown, { claimed, verified }: Progress, binding: 'redirect' | 'post'): Promise<Shown> {
    const refusal = error instanceof SamlMessageRefused ? error : null;
    const page: Shown = { what: 'error', status: statusOfPage(error) };
    if (claimed?.message.kind !== 'request' || (verified?.kind === 'request' && verified.asynchronous)) return page;
    // A copy may be anybody's who has seen the URL: its answer has been given.
    const isOwed = refusal === null ? verified !== null : isBelieved(refusal) && refusal.code !== 'replayed';
    if (!isOwed) return page;
    const status = refusal === null ? OUR_FAULT : statusOfRefusal(refusal);
    const message = { id: claimed.claimed.id, binding, relayState: claimed.message.relayState };
    // What failed before may fail again: the keys lie in the same database.
    return this.tell(status, claimed, message, page).catch(() => page);
  }

  private async tell(
    status: SamlStatus,
    { idpId, party }: Pick<ClaimedMessage, 'idpId' | 'party'>,
    request: Pick<VerifiedLogoutRequest, 'id' | 'binding' | 'relayState'>,
    otherwise: Shown = { what: 'error', status: 400 },
  ): Promise<Shown> {
    const binding = request.binding === 'post' ? 'post' : 'redirect';
    const owed = { idpId, to: party, inResponseTo: request.id, status };
    const answer = await this.answers.overBrowser(owed, { binding, relayState: request.relayState });
    return answer ? { what: 'answer', answer } : otherwise;
  }
}

export function logoutIdOf(answer: LogoutAnswer): string | null {
  return answer.kind === 'started' || answer.kind === 'ended-before' ? answer.logoutId : null;
}

/** @see SLO-88, SLOX-14 */
export function replayed(): SamlMessageRefused {
  return new SamlMessageRefused('replayed', 'SLO-88', 'a message with this ID was already received from this party');
}

function statusOfPage(error: unknown): 400 | 404 | 500 | 503 {
  if (error instanceof SamlMessageRefused) return error.code === 'not_registered' ? 404 : 400;
  return isExeuntError(error) && error.code === 'unavailable' ? 503 : 500;
}
