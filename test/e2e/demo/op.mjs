import Provider from 'oidc-provider';
import { EventSender } from './event-sender.mjs';
import { endSessionsOnLogoutTokens } from './op-ends-session.mjs';
import { serveMergedJwks } from './op-merged-jwks.mjs';
import { addSamlSide, SAML_SIDE, samlSideClient } from './op-saml-side.mjs';
import { reportSessions } from './op-session-reports.mjs';
import { runAsChild } from './run-as-child.mjs';

/** The identity provider of the demo: oidc-provider with its own login, consent and logout pages, and a SAML side that uses the same login. */
runAsChild((settings, tell) => {
  const { issuer, jwks, cookieKeys, clients, saml, idp, ownSp, exeunt } = settings;
  const provider = new Provider(issuer, {
    jwks,
    clients: [...clients.map(clientMetadata), samlSideClient(issuer)],
    cookies: { keys: cookieKeys },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    features: {
      // On, so that discovery says that logout tokens come and ID Tokens carry `sid`; who sends the logout tokens is below.
      backchannelLogout: { enabled: true },
      devInteractions: { enabled: true },
    },
    ttl: { AccessToken: 3600, AuthorizationCode: 60, Grant: 86_400, IdToken: 3600, Interaction: 3600, Session: 86_400 },
  });
  // Exeunt tells the applications, again and again until they have heard; the OP's own single try is not wanted beside it.
  provider.Client.prototype.backchannelLogout = async () => {};

  // The outermost first: sessions are reported when everything else about the answer is settled.
  const reporting = { idp, sender: new EventSender(exeunt), say: (event, result) => tell({ event, result }) };
  reportSessions(provider, { ...reporting, ownSp, notApplications: [SAML_SIDE] });
  serveMergedJwks(provider, exeunt.mergedJwksUrl);
  addSamlSide(provider, { issuer, saml, ...reporting });
  endSessionsOnLogoutTokens(provider, { issuer, clientId: ownSp, mergedJwksUrl: exeunt.mergedJwksUrl });
  provider.on('server_error', (_ctx, error) => console.error(error));
  provider.on('authorization.error', (_ctx, error) => console.error(error));
  return provider.callback();
});

function clientMetadata({ clientId, clientSecret, baseUrl }) {
  return {
    client_id: clientId,
    client_name: clientId,
    client_secret: clientSecret,
    grant_types: ['authorization_code'],
    response_types: ['code'],
    redirect_uris: [`${baseUrl}/callback`],
    post_logout_redirect_uris: [baseUrl],
    id_token_signed_response_alg: 'RS256',
    // Without these two oidc-provider puts no `sid` into ID Tokens.
    backchannel_logout_uri: `${baseUrl}/backchannel-logout`,
    backchannel_logout_session_required: true,
  };
}
