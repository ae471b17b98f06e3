import type { Message } from '#channels';
import type { LeasedDelivery } from '#ledger';
import type { LadderStep, ServiceProvider } from '#registry';

/** What a channel is given for one attempt. */
export function messageFor<Step extends LadderStep>(
  delivery: LeasedDelivery,
  sp: ServiceProvider,
  step: Step,
  timeoutMs: number,
): Message<Step> {
  return {
    logoutId: delivery.logoutId,
    deliveryNumber: delivery.n,
    attemptNumber: delivery.attempt,
    idpId: delivery.idpId,
    spId: sp.id,
    channel: step,
    sid: delivery.tokenSid,
    sub: delivery.tokenSub,
    saml: delivery.saml,
    timeoutMs,
  };
}
