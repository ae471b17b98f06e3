import type { LogoutAnswer } from '#coordinator';
import type { Clock } from '#domain';
import type { LogoutStanding } from '#ledger';
import { buildSoapFault, parseSoapMessage, SamlMessageRefused, SoapFault } from '#protocol/saml';
import type { SamlStatus, VerifiedLogoutRequest } from '#protocol/saml';
import { waitUntil } from '../wait-until.js';
import type { BelieveMessage, ClaimedMessage } from './believe-message.js';
import { isBelieved } from './believed.js';
import { logoutOf } from './logout-of.js';
import type { MessageRecord } from './message-record.js';
import type { ReadStanding, SamlRequestEnding } from './ports.js';
import { logoutIdOf, replayed } from './receive-front-channel.js';
import { OUR_FAULT, ROOT_REFUSED, statusOf, statusOfRefusal } from './status-of.js';
import type { WriteAnswer } from './write-answer.js';

/**
 * What is answered. 200: a signed LogoutResponse, whatever it says. 500: a SOAP fault, unsigned, for what cannot be read or done. 403: we do not talk to this
 * sender. 404: there is no such endpoint.
 * @see SLO-59
 */
export type SoapAnswer = { status: 200 | 500; xml: string } | { status: 403 | 404 };

interface Received {
  answer: SoapAnswer;
  record: MessageRecord;
}

interface Progress {
  claimed: ClaimedMessage | null;
  isVerified: boolean;
}

/**
 * LogoutRequests over SOAP. The answer waits until all is over, until nothing more can come without a browser, or until its time is up; what is open then goes
 * on behind it. A browser is not there, so that SPs which need one are not confirmed. @see SLO-25, SLO-28, SLO-30, SLO-59
 */
export class ReceiveSoap {
  constructor(
    private readonly believe: BelieveMessage,
    private readonly ending: SamlRequestEnding,
    private readonly readStanding: ReadStanding,
    private readonly answers: WriteAnswer,
    private readonly clock: Clock,
    /** Milliseconds. */
    private readonly answerWithinMs: number,
  ) {}

  /** @throws never: what goes wrong is in the record. */
  async receive(idpId: string, body: string): Promise<Received> {
    const record: Omit<MessageRecord, 'end'> = { idpId, binding: 'soap', kind: 'unreadable', party: null };
    const progress: Progress = { claimed: null, isVerified: false };
    try {
      await this.believe.checkEndpoint(idpId);
      const message = await this.believe.read(() => parseSoapMessage(body));
      record.kind = message.kind;
      const claimed = (progress.claimed = await this.believe.identify(idpId, message));
      record.party = { spId: claimed.party.spId };
      const { verified, isLegacy } = await this.believe.verify(claimed);
      record.isLegacy = isLegacy;
      progress.isVerified = true;
      if (verified.kind === 'response') {
        throw new SamlMessageRefused(
          'not_outstanding',
          'SLO-13',
          'answers over SOAP come with the request that they answer, not by themselves',
        );
      }
      const { status, end } = await this.end(claimed, verified);
      const xml = await this.answers.overSoap({ idpId, to: claimed.party, inResponseTo: verified.id, status });
      return { answer: { status: 200, xml }, record: { ...record, end: { is: 'accepted', ...end } } };
    } catch (error) {
      return { answer: await this.answerFailure(error, record.kind, progress), record: { ...record, end: endOf(error) } };
    }
  }

  private async end({ idpId, party }: ClaimedMessage, request: VerifiedLogoutRequest) {
    const done = await this.ending.end(logoutOf(idpId, party, request, this.clock.now()), () => Promise.resolve(null));
    if (done === null) throw replayed();
    const { answer } = done;
    return { status: await this.statusAfter(answer, party.mayEndRoot), end: { led: answer.kind, logoutId: logoutIdOf(answer) } };
  }

  private async statusAfter(answer: LogoutAnswer, mayEndRoot: boolean): Promise<SamlStatus> {
    if (answer.kind === 'root-refused') return ROOT_REFUSED;
    const logoutId = logoutIdOf(answer);
    // Nobody is left who would have to be told. @see SLO-22
    if (logoutId === null) return statusOf('complete', mayEndRoot || answer.kind === 'unknown');
    // It has ended, and that is written: a reading that fails makes the answer weaker, not wrong.
    const standing = await this.waitFor(logoutId).catch(() => ({ verdict: 'pending' as const }));
    // Forgotten by the retention: it was over long ago.
    return statusOf(standing?.verdict ?? 'complete', mayEndRoot);
  }

  private waitFor(logoutId: string): Promise<LogoutStanding | null> {
    return waitUntil(
      () => this.readStanding(logoutId),
      (standing) => standing?.isMoving !== true,
      this.answerWithinMs / 1_000,
    );
  }

  private async answerFailure(error: unknown, kind: MessageRecord['kind'], { claimed, isVerified }: Progress): Promise<SoapAnswer> {
    if (error instanceof SoapFault) return { status: 500, xml: buildSoapFault(error) };
    const refusal = error instanceof SamlMessageRefused ? error : null;
    const isOwed = claimed?.message.kind === 'request' && (refusal === null ? isVerified : isBelieved(refusal));
    if (isOwed) {
      const status = refusal === null ? OUR_FAULT : statusOfRefusal(refusal);
      const owed = { idpId: claimed.idpId, to: claimed.party, inResponseTo: claimed.claimed.id, status };
      // What failed before may fail again: the keys lie in the same database.
      return this.answers.overSoap(owed).then(
        (xml): SoapAnswer => ({ status: 200, xml }),
        () => SERVER_FAULT,
      );
    }
    if (refusal === null) return SERVER_FAULT;
    if (refusal.code === 'not_registered') return { status: 404 };
    // Never a fault in reaction to a response, or to a fault. @see SLO-59
    if (claimed !== null || kind !== 'request' || refusal.code === 'unknown_issuer') return { status: 403 };
    return { status: 500, xml: buildSoapFault({ faultCode: 'Client', description: refusal.description }) };
  }
}

const SERVER_FAULT: SoapAnswer = {
  status: 500,
  xml: buildSoapFault({ faultCode: 'Server', description: 'the request could not be handled; try again' }),
};

function endOf(error: unknown): MessageRecord['end'] {
  if (error instanceof SamlMessageRefused) return { is: 'refused', refusal: error };
  if (!(error instanceof SoapFault)) return { is: 'failed', fault: error };
  const { faultCode, description } = error;
  return { is: 'refused', refusal: { code: 'malformed', clause: 'SLO-57', description, detail: `SOAP fault ${faultCode}` } };
}
