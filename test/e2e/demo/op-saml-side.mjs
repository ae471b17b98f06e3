import { randomUUID } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { buildSamlResponse } from './saml-assertion.mjs';
import { escapeXml, newXmlId, parseXml } from './saml-xml.mjs';

const TRANSIENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient';
const REQUEST_LIMIT_BYTES = 64 * 1024;

/** What the SAML side is called at the OP whose login it uses. */
export const SAML_SIDE = 'saml-side';

/** The SAML side as a client of the OP: it wants the user to be logged in, and no tokens. */
export function samlSideClient(issuer) {
  return {
    client_id: SAML_SIDE,
    client_name: 'the SAML side',
    token_endpoint_auth_method: 'none',
    grant_types: [],
    response_types: ['none'],
    redirect_uris: [`${issuer}/saml/logged-in`],
  };
}

/**
 * Makes the OP a SAML IdP, too: the same login, the same session, and for each SAML login a NameID and a SessionIndex of its own. What it puts into the
 * assertion it tells Exeunt, letter by letter, before the assertion leaves: a login that Exeunt does not know cannot be ended.
 *
 * @param {import('oidc-provider').default} provider
 * @param {{ issuer: string, idp: string, saml: { entityId: string, privateKey: string, certificate: string, sps: { id: string, entityId: string, acsUrl: string }[] },
 *   sender: import('./event-sender.mjs').EventSender, say: (event: object, result: object) => void }} settings
 */
export function addSamlSide(provider, { issuer, idp, saml, sender, say }) {
  provider.use(async (ctx, next) => {
    if (ctx.method === 'GET' && ctx.path === '/saml/sso') return singleSignOn(ctx);
    if (ctx.method === 'GET' && ctx.path === '/saml/logged-in') return ctx.redirect(`${issuer}/saml/sso?${ctx.query.state ?? ''}`);
    return next();
  });

  async function singleSignOn(ctx) {
    const request = readAuthnRequest(ctx.query.SAMLRequest);
    // Answers go to registered addresses alone, so it does not matter who asks: the request's signature is not looked at.
    const sp = saml.sps.find(({ entityId }) => entityId === request?.issuer);
    if (sp === undefined) return show(ctx, 400, 'This is no AuthnRequest of an application that is known here.');
    const session = await provider.Session.get(ctx);
    if (session.accountId === undefined) return ctx.redirect(loginUrl(ctx.querystring));

    const nameId = { value: newXmlId(), format: TRANSIENT, nameQualifier: saml.entityId, spNameQualifier: sp.entityId };
    const sessionIndex = `_${randomUUID()}`;
    const event = {
      id: `joined.${sessionIndex}`,
      type: 'session.joined',
      idp,
      parent: { sid: session.uid },
      sp: sp.id,
      handles: { nameId, sessionIndex },
    };
    const [result] = await sender.send([event]);
    say(event, result);
    if (result.status === 'session_ended') return show(ctx, 403, 'This session has ended. Please sign in again.');
    if (result.status !== 'accepted') return show(ctx, 500, `Login failed: ${result.status}`);

    const response = buildSamlResponse({ idp: saml, sp, inResponseTo: request.id, nameId, sessionIndex, user: session.accountId });
    ctx.set('cache-control', 'no-store');
    ctx.type = 'html';
    ctx.body = autoPost(sp.acsUrl, { SAMLResponse: Buffer.from(response).toString('base64'), RelayState: ctx.query.RelayState });
  }

  /** To the OP's own login, and back here with the same question. */
  function loginUrl(question) {
    const query = {
      client_id: SAML_SIDE,
      response_type: 'none',
      scope: 'openid',
      redirect_uri: `${issuer}/saml/logged-in`,
      state: question,
    };
    return `${issuer}/auth?${new URLSearchParams(query)}`;
  }
}

function readAuthnRequest(parameter) {
  try {
    const xml = inflateRawSync(Buffer.from(parameter, 'base64'), { maxOutputLength: REQUEST_LIMIT_BYTES }).toString();
    const root = parseXml(xml).documentElement;
    if (root.localName !== 'AuthnRequest') return undefined;
    const [issuer] = Array.from(root.childNodes).filter((node) => node.localName === 'Issuer');
    return { id: root.getAttribute('ID'), issuer: issuer.textContent };
  } catch {
    return undefined;
  }
}

function show(ctx, status, text) {
  ctx.status = status;
  ctx.type = 'text';
  ctx.body = text;
}

function autoPost(action, fields) {
  const inputs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `<input type="hidden" name="${name}" value="${escapeXml(value)}">`);
  return `<!doctype html><title>Signing in</title><body onload="document.forms[0].submit()">
<form method="post" action="${escapeXml(action)}">${inputs.join('')}<button>Continue</button></form>`;
}
