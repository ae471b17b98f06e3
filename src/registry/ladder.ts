import type { SamlBinding, SamlEndpoint, SamlEntity } from '#protocol/saml';
import type { OidcBackchannelConfig, SamlConfig, ServiceProvider } from './types.js';

/** One way to tell an SP by SAML: a binding that it offers and the registration prefers in this place. */
export interface SamlStep {
  type: `saml-${SamlBinding}`;
  config: SamlConfig;
  entity: SamlEntity;
  /** In document order: one that fails over to the next. @see SLO-73 */
  endpoints: SamlEndpoint[];
}

/** One way to tell an SP. */
export type LadderStep = OidcBackchannelConfig | SamlStep;

/** The ways to tell an SP, in order of preference: when one is final-failed or unusable the next is tried. */
export function ladderOf(sp: Pick<ServiceProvider, 'channels' | 'saml'>): LadderStep[] {
  return sp.channels.flatMap((channel): LadderStep[] => {
    switch (channel.type) {
      case 'oidc-backchannel':
        return [channel];
      case 'saml':
        return sp.saml === null ? [] : stepsOf(channel, sp.saml);
    }
  });
}

function stepsOf(config: SamlConfig, entity: SamlEntity): SamlStep[] {
  return config.bindings.flatMap((binding): SamlStep[] => {
    const endpoints = entity.singleLogoutServices.filter((endpoint) => endpoint.binding === binding);
    return endpoints.length === 0 ? [] : [{ type: `saml-${binding}`, config, entity, endpoints }];
  });
}

/** Whether the step needs the person's browser. */
export function needsBrowser(step: Pick<LadderStep, 'type'>): boolean {
  switch (step.type) {
    case 'saml-redirect':
    case 'saml-post':
      return true;
    case 'oidc-backchannel':
    case 'saml-soap':
      return false;
  }
}

/** Whether the SP is told by SAML alone, so that one message can name several of its sessions. */
export function isSamlOnly(steps: readonly LadderStep[]): boolean {
  return steps.length > 0 && steps.every((step) => step.type !== 'oidc-backchannel');
}
