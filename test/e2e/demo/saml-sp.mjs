import { inflateRawSync } from 'node:zlib';
import { SAML } from '@node-saml/node-saml';
import express from 'express';
import { runAsChild } from './run-as-child.mjs';
import { IdpMetadata, withLogoutAddresses } from './saml-metadata.mjs';
import { SamlSessionStore } from './saml-session-store.mjs';
import { parseXml, signElement, unwrapSoap, wrapSoap } from './saml-xml.mjs';

const PARTIAL = 'urn:oasis:names:tc:SAML:2.0:status:PartialLogout';

/** The SAML application of the demo: node-saml, with sessions on disk. It knows its IdP by the metadata that Exeunt publishes for it. */
runAsChild(async ({ name, baseUrl, entityId, privateKey, certificate, idpMetadataUrl, sessionDir }) => {
  const idp = new IdpMetadata(idpMetadataUrl);
  const { ssoUrl, sloUrl } = await idp.get();
  const saml = new SAML({
    issuer: entityId,
    callbackUrl: `${baseUrl}/saml/acs`,
    logoutCallbackUrl: `${baseUrl}/saml/slo`,
    entryPoint: ssoUrl,
    logoutUrl: sloUrl,
    // Several: the IdP signs logins, Exeunt signs logouts. Asked for at each message, so that a new one is known in time.
    idpCert: (done) =>
      idp.get().then(
        ({ certificates }) => done(null, certificates),
        (error) => done(error),
      ),
    privateKey,
    signatureAlgorithm: 'sha256',
    digestAlgorithm: 'sha256',
    wantAssertionsSigned: true,
    wantAuthnResponseSigned: false,
    identifierFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient',
    acceptedClockSkewMs: 5_000,
  });
  const sessions = new SamlSessionStore(sessionDir);
  // All applications of the demo are on one host, and cookies do not know ports.
  const cookie = `${name}_session`;
  const sessionIdOf = (req) => new RegExp(`(?:^|; )${cookie}=([\\w-]+)`).exec(req.headers.cookie ?? '')?.[1];

  const app = express();
  const form = express.urlencoded({ extended: false, limit: '256kb' });

  app.get('/', (req, res) => {
    const user = sessions.get(sessionIdOf(req))?.uid;
    res.type('text').send(`${name}: ${user === undefined ? 'nobody is signed in' : `signed in as ${user}`}\n`);
  });
  app.get('/profile', async (req, res) => {
    const profile = sessions.get(sessionIdOf(req));
    if (profile === undefined) return res.redirect(await saml.getAuthorizeUrlAsync('/profile', undefined, {}));
    res.type('text').send(`${name}: the profile of ${profile.uid}\n`);
  });
  app.get('/saml/metadata', (_req, res) => {
    const metadata = saml.generateServiceProviderMetadata(null, certificate);
    res
      .type('application/samlmetadata+xml')
      .send(withLogoutAddresses(metadata, { front: `${baseUrl}/saml/slo`, soap: `${baseUrl}/saml/slo/soap` }));
  });
  app.post('/saml/acs', form, async (req, res) => {
    const { profile } = await saml.validatePostResponseAsync(req.body);
    const { nameID, nameIDFormat, nameQualifier, spNameQualifier, sessionIndex, uid } = profile;
    const id = sessions.begin({ nameID, nameIDFormat, nameQualifier, spNameQualifier, sessionIndex, uid });
    res.cookie(cookie, id, { httpOnly: true, sameSite: 'lax' }).redirect(303, '/profile');
  });

  /** The user signs out here: the session ends at once, and Exeunt is asked to end the others. */
  app.get('/logout', async (req, res) => {
    const id = sessionIdOf(req);
    const profile = sessions.get(id);
    if (profile === undefined) return res.redirect('/');
    sessions.end(id);
    res.clearCookie(cookie).redirect(await saml.getLogoutUrlAsync(profile, 'signed-out', {}));
  });

  // Someone signed out elsewhere, and Exeunt says so: from server to server,
  app.post('/saml/slo/soap', express.text({ type: 'text/xml', limit: '256kb' }), async (req, res) => {
    const request = Buffer.from(unwrapSoap(req.body)).toString('base64');
    const { profile } = await saml.validatePostRequestAsync({ SAMLRequest: request });
    sessions.endNamed(profile);
    // Public in JavaScript only: node-saml signs answers for the browser alone.
    const answer = saml._generateLogoutResponse(profile, true);
    const id = parseXml(answer).documentElement.getAttribute('ID');
    res
      .type('text/xml')
      .set('cache-control', 'no-cache, no-store, must-revalidate, private')
      .send(wrapSoap(signElement(answer, id, { privateKey, certificate })));
  });
  // or by way of the browser. The answer to a logout that began here comes the same way.
  app.get('/saml/slo', async (req, res) => {
    const query = req.originalUrl.slice(req.originalUrl.indexOf('?') + 1);
    // node-saml takes messages without a signature here.
    if (typeof req.query.Signature !== 'string' || req.query.Signature === '') return res.status(400).type('text').send('unsigned');
    const { profile } = await saml.validateRedirectAsync(req.query, query);
    if (profile === null) return signedOut(res, inflateRawSync(Buffer.from(req.query.SAMLResponse, 'base64')));
    sessions.endNamed(profile);
    res.redirect(await saml.getLogoutResponseUrlAsync(profile, req.query.RelayState ?? '', {}, true));
  });
  app.post('/saml/slo', form, async (req, res) => {
    if (req.body.SAMLResponse !== undefined) {
      await saml.validatePostResponseAsync(req.body);
      return signedOut(res, Buffer.from(req.body.SAMLResponse, 'base64'));
    }
    const { profile } = await saml.validatePostRequestAsync(req.body);
    sessions.endNamed(profile);
    res.redirect(303, await saml.getLogoutResponseUrlAsync(profile, req.body.RelayState ?? '', {}, true));
  });

  function signedOut(res, response) {
    // node-saml has checked it, and does not tell a partial logout from a full one.
    const text = response.includes(PARTIAL) ? 'signed out here; some applications could not be told yet' : 'signed out everywhere';
    res.type('text').send(`${name}: ${text}\n`);
  }

  // Four parameters: so express knows that this one takes errors.
  app.use((error, _req, res, _next) => {
    console.error(error);
    res.status(400).type('text').send(`${error.message}\n`);
  });
  return app;
});
