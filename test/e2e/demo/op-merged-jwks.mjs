const FRESH_FOR_MS = 30_000;

/**
 * Serves Exeunt's merged key set (the OP's own keys and the keys that Exeunt signs logout tokens with) at the OP's own `jwks_uri`,
 * so that the applications need no other setting. When Exeunt cannot be reached the last set is served, or the OP's own keys:
 * logins never depend on Exeunt being there to be asked for keys.
 *
 * @param {import('oidc-provider').default} provider
 * @param {string} mergedJwksUrl Exeunt's `/idps/{id}/jwks.json`
 */
export function serveMergedJwks(provider, mergedJwksUrl) {
  let cached;
  let freshUntil = 0;

  provider.use(async (ctx, next) => {
    await next();
    if (ctx.oidc?.route !== 'jwks' || ctx.status !== 200) return;
    if (Date.now() >= freshUntil) {
      try {
        cached = await fetchKeySet(mergedJwksUrl);
        freshUntil = Date.now() + FRESH_FOR_MS;
      } catch (error) {
        console.error(`${mergedJwksUrl} cannot be had (${error.message}); serving ${cached ? 'the last merged set' : 'only our own keys'}`);
      }
    }
    if (cached !== undefined) ctx.body = cached;
  });
}

async function fetchKeySet(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(3_000) });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.json();
}
