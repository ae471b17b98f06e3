/**
 * Tells Exeunt what becomes of the OP's sessions, before the browser is told: a login that Exeunt does not know cannot be
 * ended, so the code leaves the OP only when Exeunt has the session.
 *
 * The OP's own session is named by its `uid`; at each client the session has another name, the `sid` in that client's ID Token.
 *
 * @param {import('oidc-provider').default} provider
 * @param {{ idp: string, sender: import('./event-sender.mjs').EventSender, say: (event: object, result: object) => void, ownSp?: string, notApplications?: string[] }} settings
 *   `ownSp`: as what the OP itself wants to be told of the end of its sessions; `notApplications`: clients that begin no sessions of their own.
 */
export function reportSessions(provider, { idp, sender, say, ownSp, notApplications = [] }) {
  const reports = new WeakMap();
  const report = (ctx, event) => reports.set(ctx, [...(reports.get(ctx) ?? []), { idp, ...event }]);

  provider.on('interaction.ended', (ctx) => {
    // A consent that follows carries the login's result along; only the login itself starts a session.
    const { prompt } = ctx.oidc.entities.Interaction;
    if (prompt.name !== 'login' || !ctx.oidc.result?.login) return;
    report(ctx, sessionStarted(ctx.oidc.session));
    if (ownSp !== undefined) report(ctx, joinedByOp(ctx.oidc.session, ownSp));
  });
  provider.on('authorization.success', (ctx) => {
    const { clientId } = ctx.oidc.client;
    if (!notApplications.includes(clientId)) report(ctx, sessionJoined(ctx.oidc.session, clientId));
  });
  provider.on('end_session.success', (ctx) => {
    if (ctx.oidc.session.destroyed) report(ctx, sessionEnded(ctx.oidc.session));
  });

  provider.use(async (ctx, next) => {
    await next();
    const events = reports.get(ctx);
    if (events === undefined) return;
    const results = await sender.send(events);
    events.forEach((event, i) => say(event, results[i]));
    refuseEndedSession(ctx, results);
  });
}

/** The ids are made of the session's own names, so that the same news always has the same id. */
function sessionStarted(session) {
  return {
    id: `started.${session.uid}.${session.loginTs}`,
    type: 'session.started',
    handles: { sid: session.uid, sub: session.accountId },
  };
}

/** The OP as one that is told: by the same name as its session has. */
function joinedByOp(session, ownSp) {
  return {
    id: `joined.${session.uid}.${session.loginTs}`,
    type: 'session.joined',
    parent: { sid: session.uid },
    sp: ownSp,
    handles: { sid: session.uid, sub: session.accountId },
  };
}

function sessionJoined(session, clientId) {
  const sid = session.sidFor(clientId);
  return {
    id: `joined.${sid}`,
    type: 'session.joined',
    parent: { sid: session.uid },
    // The clients of this OP are registered at Exeunt under their client_id.
    sp: clientId,
    handles: { sid, sub: session.accountId },
  };
}

function sessionEnded(session) {
  return {
    id: `ended.${session.uid}`,
    type: 'session.ended',
    handles: { sid: session.uid },
    reason: 'the user signed out at the OP',
    initiator: 'user',
  };
}

/**
 * The session has ended while this login was under way. The application must not get a code: its logout has been sent already,
 * and a session that began after it would stay.
 */
function refuseEndedSession(ctx, results) {
  const refused = results.find((result) => result.status !== 'accepted' && result.status !== 'duplicate');
  if (refused === undefined) return;
  ctx.remove('location');
  ctx.status = refused.status === 'session_ended' ? 403 : 500;
  ctx.type = 'text';
  ctx.body = refused.status === 'session_ended' ? 'This session has ended. Please sign in again.' : `Login failed: ${refused.status}`;
}
