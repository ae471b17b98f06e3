import type { FlowState } from '#coordinator';
import type { ServiceProvider } from '#registry';

/** Where the frames of this flow may go: the origins of its SPs' single logout endpoints that browsers are sent to, each once. */
export function frameOrigins(flow: Pick<FlowState, 'deliveries'>, sps: ReadonlyMap<string, ServiceProvider>): string[] {
  const origins = flow.deliveries.flatMap(({ spId }) =>
    (sps.get(spId)?.saml?.singleLogoutServices ?? []).flatMap(({ binding, location }) =>
      binding === 'soap' || !URL.canParse(location) ? [] : new URL(location).origin,
    ),
  );
  return [...new Set(origins)];
}
