import type { FlowState } from '#coordinator';
import type { BrowserAnswer } from '../browser-answer.js';
import { partyOfIdp, partyOfSp } from './party.js';
import type { Party } from './party.js';
import type { IdpOfPath, SpById } from './ports.js';
import { statusOf } from './status-of.js';
import type { WriteAnswer } from './write-answer.js';

/** At the end of a browser's way through a logout: the answer to the one who asked for it. */
export class AnswerInitiator {
  constructor(
    private readonly idps: IdpOfPath,
    private readonly sps: SpById,
    private readonly answers: WriteAnswer,
  ) {}

  /**
   * @param flow as it stands now; what is still open makes the logout a partial one. @see SLO-18, SLO-30
   * @returns where the browser goes with the answer; null when nobody is owed one, or there is no address for it (any more).
   */
  async answer(flow: Pick<FlowState, 'idpId' | 'reply' | 'verdict'>): Promise<BrowserAnswer | null> {
    const { idpId, reply, verdict } = flow;
    const to = reply && (await this.partyOf(idpId, reply.spId));
    if (!reply || !to) return null;
    const { inResponseTo, binding, relayState } = reply;
    return this.answers.overBrowser({ idpId, to, inResponseTo, status: statusOf(verdict, to.mayEndRoot) }, { binding, relayState });
  }

  private async partyOf(idpId: string, spId: string | null): Promise<Party | null> {
    if (spId === null) {
      const idp = await this.idps.find(idpId);
      return idp && partyOfIdp(idp);
    }
    const sp = await this.sps.find(spId);
    return sp && partyOfSp(sp);
  }
}
