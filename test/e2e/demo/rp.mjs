import express from 'express';
import openIdConnect from 'express-openid-connect';
import { FileSessionStore } from './file-session-store.mjs';
import { runAsChild } from './run-as-child.mjs';

const { auth, requiresAuth } = openIdConnect;

/** An application of the demo: express-openid-connect with its own back-channel logout, sessions on disk. */
runAsChild(({ name, issuer, baseUrl, clientId, clientSecret, secret, sessionDir }) => {
  const app = express();
  app.use(
    auth({
      issuerBaseURL: issuer,
      baseURL: baseUrl,
      clientID: clientId,
      clientSecret,
      secret,
      authRequired: false,
      idpLogout: true,
      authorizationParams: { response_type: 'code', scope: 'openid' },
      // All applications of the demo are on one host, and cookies do not know ports.
      session: { name: `${name}_session`, store: new FileSessionStore(sessionDir) },
      transactionCookie: { name: `${name}_login` },
      // Serves POST /backchannel-logout and asks the store at each request whether the session was logged out there.
      backchannelLogout: true,
    }),
  );
  app.get('/', (req, res) => {
    res.type('text').send(`${name}: ${req.oidc.isAuthenticated() ? `signed in as ${req.oidc.user.sub}` : 'nobody is signed in'}\n`);
  });
  app.get('/profile', requiresAuth(), (req, res) => {
    res.type('text').send(`${name}: the profile of ${req.oidc.user.sub}\n`);
  });
  return app;
});
