import { createRemoteJWKSet, jwtVerify } from 'jose';

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const BODY_LIMIT_BYTES = 16 * 1024;

/**
 * Where Exeunt tells the OP that a session of its own has ended: a logout may begin at an application, and the OP must then ask for the password again. To
 * Exeunt the OP is a recipient like the others, with a registration and a session of its own.
 *
 * @param {import('oidc-provider').default} provider
 * @param {{ issuer: string, clientId: string, mergedJwksUrl: string }} settings
 */
export function endSessionsOnLogoutTokens(provider, { issuer, clientId, mergedJwksUrl }) {
  const keys = createRemoteJWKSet(new URL(mergedJwksUrl));
  provider.use(async (ctx, next) => {
    if (ctx.method !== 'POST' || ctx.path !== '/session/ended') return next();
    ctx.set('cache-control', 'no-store');
    try {
      const token = new URLSearchParams(await readBody(ctx.req)).get('logout_token') ?? '';
      const { payload } = await jwtVerify(token, keys, { issuer, audience: clientId, typ: 'logout+jwt', maxTokenAge: 180 });
      if (payload.events?.[LOGOUT_EVENT] === undefined || payload.nonce !== undefined) throw new Error('this is no logout token');
      const session = await provider.Session.findByUid(payload.sid);
      await session?.destroy();
      ctx.status = 200;
      ctx.body = '';
    } catch (error) {
      console.error(error);
      ctx.status = 400;
      ctx.body = { error: 'invalid_request', error_description: error.message };
    }
  });
}

async function readBody(request) {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk;
    if (body.length > BODY_LIMIT_BYTES) throw new Error('the body is too long');
  }
  return body;
}
