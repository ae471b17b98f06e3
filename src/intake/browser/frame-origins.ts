import type { FlowState } from '#coordinator';
import type { SamlEndpoint } from '#protocol/saml';
import type { IdentityProvider, ServiceProvider } from '#registry';

/** Where the frames of this flow may go: the origins of its SPs' single logout endpoints that browsers are sent to, each once. */
export function frameOrigins(flow: Pick<FlowState, 'deliveries'>, sps: ReadonlyMap<string, ServiceProvider>): string[] {
  return originsOf(flow.deliveries.flatMap(({ spId }) => sps.get(spId)?.saml?.singleLogoutServices ?? []));
}

/** Who may show the page of a logout that this identity provider has asked for: it tells its SPs, of which we are one, in frames of its own. */
export function framersOf(idp: Pick<IdentityProvider, 'saml'> | null): string[] {
  return originsOf(idp?.saml?.entity.singleLogoutServices ?? []);
}

function originsOf(endpoints: readonly SamlEndpoint[]): string[] {
  const origins = endpoints.flatMap(({ binding, location }) =>
    binding === 'soap' || !URL.canParse(location) ? [] : new URL(location).origin,
  );
  return [...new Set(origins)];
}
