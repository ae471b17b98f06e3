import Provider from 'oidc-provider';
import { EventSender } from '../e2e/demo/event-sender.mjs';
import { serveMergedJwks } from '../e2e/demo/op-merged-jwks.mjs';
import { reportSessions } from '../e2e/demo/op-session-reports.mjs';
import { runAsChild } from '../e2e/demo/run-as-child.mjs';

/**
 * An OpenID Provider in a process of its own. With `exeunt` it reports its sessions and leaves the telling to Exeunt, as
 * docs/guides/oidc-idp.md says; without, it is oidc-provider as it comes, which sends its own logout tokens.
 */
runAsChild(({ issuer, jwks, cookieKeys, clients, exeunt }, tell) => {
  const provider = new Provider(issuer, {
    jwks,
    clients,
    clientDefaults: { grant_types: ['authorization_code'], response_types: ['code'] },
    cookies: { keys: cookieKeys },
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256'] },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    features: {
      backchannelLogout: { enabled: true },
      devInteractions: { enabled: true },
      encryption: { enabled: clients.some((client) => client.id_token_encrypted_response_alg !== undefined) },
    },
    ttl: { AccessToken: 3600, AuthorizationCode: 60, Grant: 86_400, IdToken: 3600, Interaction: 3600, Session: 86_400 },
    // Its own guard refuses loopback, where all of the test is.
    fetch: (url, { dispatcher: _, ...options }) => fetch(url, options),
  });
  if (exeunt !== undefined) {
    provider.Client.prototype.backchannelLogout = async () => {};
    reportSessions(provider, { idp: exeunt.idp, sender: new EventSender(exeunt), say: (event, result) => tell({ event, result }) });
    if (exeunt.mergedJwksUrl !== undefined) serveMergedJwks(provider, exeunt.mergedJwksUrl);
  }
  provider.on('backchannel.success', (_ctx, client) => tell({ told: client.clientId }));
  provider.on('backchannel.error', (_ctx, error, client) => tell({ notTold: client.clientId, error: error.message }));
  for (const event of ['server_error', 'authorization.error', 'grant.error']) provider.on(event, (_ctx, error) => console.error(error));
  return provider.callback();
});
