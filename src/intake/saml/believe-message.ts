import type { KeyObject } from 'node:crypto';
import type { Clock } from '#domain';
import { readClaimedSender, SamlMessageRefused, verifyLogoutMessage } from '#protocol/saml';
import type { ClaimedSender, IncomingMessage, MessageExpectation, VerifiedLogoutRequest, VerifiedLogoutResponse } from '#protocol/saml';
import { findParty } from './party.js';
import type { Party } from './party.js';
import type { IdpOfPath, OurEndpoints, OurKeys, PartyOfEntity } from './ports.js';
import { Turns } from './turns.js';

/** How old a message may be, and how far clocks may differ. Seconds. @see SLO-88 */
export interface SamlTolerance {
  messageMaxAgeSeconds: number;
  clockSkewSeconds: number;
}

/** A message, and whom it says it is from: not believed yet. */
export interface ClaimedMessage {
  idpId: string;
  message: IncomingMessage;
  claimed: ClaimedSender;
  party: Party;
}

export type VerifiedMessage = VerifiedLogoutRequest | VerifiedLogoutResponse;

/** Peers make it longer than the 80 bytes that it may have, and mean a URL; what is longer than this is none. Characters. @see SLO-51 */
const LONGEST_RELAY_STATE = 4_096;

/** Finds whose message it is, and holds it against what is registered of them. */
export class BelieveMessage {
  private readonly turns = new Turns();

  constructor(
    private readonly idps: IdpOfPath,
    private readonly parties: PartyOfEntity,
    private readonly keys: Pick<OurKeys, 'decryptionKeys'>,
    private readonly endpoints: OurEndpoints,
    private readonly clock: Clock,
    private readonly tolerance: SamlTolerance,
  ) {}

  /** @throws SamlMessageRefused `not_registered` for an identity provider that is not there or has no SAML side: there is no such endpoint. */
  async checkEndpoint(idpId: string): Promise<void> {
    const idp = await this.idps.find(idpId);
    if (idp?.saml) return;
    const detail = idp ? 'it has no SAML side' : 'there is no such identity provider';
    throw new SamlMessageRefused('not_registered', 'SLOX-15', 'there is no single logout here', detail);
  }

  /** @param parse one of the parsers, which throws for what it does not take. */
  async read(parse: () => IncomingMessage): Promise<IncomingMessage> {
    await this.turns.take();
    return parse();
  }

  /** @throws SamlMessageRefused */
  async identify(idpId: string, message: IncomingMessage): Promise<ClaimedMessage> {
    judgeRelayState(message.relayState);
    const claimed = readClaimedSender(message);
    return { idpId, message, claimed, party: await findParty(this.parties, idpId, claimed.issuer, this.clock.now()) };
  }

  /**
   * What a peer signs with SHA-1 is taken only where it is registered so, and is told apart: every such message is logged. @see SLO-84
   * @throws SamlMessageRefused
   */
  async verify(claimed: ClaimedMessage): Promise<{ verified: VerifiedMessage; isLegacy: boolean }> {
    const decryptionKeys = await this.keys.decryptionKeys(claimed.idpId);
    await this.turns.take();
    const verifyWith = (allowSha1: boolean): Promise<VerifiedMessage> =>
      verifyLogoutMessage(claimed.message, this.expectationOf(claimed, decryptionKeys, allowSha1));
    try {
      return { verified: await verifyWith(false), isLegacy: false };
    } catch (error) {
      const mayBeLegacy = claimed.party.allowSha1 && error instanceof SamlMessageRefused && error.code === 'forbidden_algorithm';
      if (!mayBeLegacy) throw error;
      return { verified: await verifyWith(true), isLegacy: true };
    }
  }

  private expectationOf({ idpId, message, party }: ClaimedMessage, decryptionKeys: KeyObject[], allowSha1: boolean): MessageExpectation {
    return {
      issuer: party.entity.entityId,
      certificates: party.entity.signingCertificates,
      destinations: [this.endpoints.of(idpId)[message.binding]],
      allowSha1,
      decryptionKeys,
      now: this.clock.now(),
      maxAgeSeconds: this.tolerance.messageMaxAgeSeconds,
      skewSeconds: this.tolerance.clockSkewSeconds,
    };
  }
}

/** It is kept until its sender gets it back, and Postgres keeps no NUL. */
function judgeRelayState(relayState: string | null): void {
  if (relayState === null || (relayState.length <= LONGEST_RELAY_STATE && !relayState.includes('\0'))) return;
  const seen = relayState.includes('\0') ? 'a NUL' : `${relayState.length} characters`;
  throw new SamlMessageRefused(
    'malformed',
    'SLO-51',
    `RelayState has ${seen}; it must be text of at most ${LONGEST_RELAY_STATE} characters`,
  );
}
