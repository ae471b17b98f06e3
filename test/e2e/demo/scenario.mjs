import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { castOf, IDP, OP_AS_SP, registerApplication, registerOp, startApplication, startOp } from './cast.mjs';
import { FileSessionStore } from './file-session-store.mjs';
import { SAML_SP_NAME } from './options.mjs';
import { freePorts } from './ports.mjs';
import { SamlSessionStore } from './saml-session-store.mjs';
import { showCompletion, fetchCompletion } from './show-completion.mjs';
import { showLogout } from './show-ledger.mjs';
import { startExeunt } from './start-exeunt.mjs';
import { User } from './user.mjs';
import { waitUntil } from './wait-until.mjs';

const FINAL_WITHIN_MS = 60_000;
const HEARD_WITHIN_MS = 5_000;

/**
 * One user, four applications, one logout, told in order.
 * @param {{ options: ReturnType<import('./options.mjs').parseOptions>, children: import('./children.mjs').Children, dataDir: string, print: import('./print.mjs').Printer }} stage
 * @throws when a step cannot be done at all; checks that do not hold are counted by `print`
 */
export async function playScenario({ options, children, dataDir, print }) {
  let steps = 0;
  const heading = (text) => print.heading(`${++steps}. ${text}`);

  heading('Exeunt, an OP with a SAML side, and four applications');
  const [exeuntPort, opPort, samlPort, ...rpPorts] = await freePorts(6);
  const exeunt = await startExeunt({ children, port: exeuntPort, dataDir: join(dataDir, 'exeunt') });
  print.line(`Exeunt       ${exeunt.baseUrl}`);
  const cast = await castOf({ opPort, rpPorts, samlPort, dataDir });
  const { applications } = cast;
  const apiKey = await registerOp(exeunt, cast);
  const reported = [];
  await startOp(children, cast, exeunt, apiKey, (event, result) => reported.push({ event, result }));
  print.line(`OP           ${cast.op.issuer}  (oidc-provider, and a SAML IdP on the same login), at Exeunt: ${IDP}`);
  for (const application of applications) {
    await startApplication(children, application, exeunt);
    await registerApplication(exeunt, application);
    print.line(`application  ${application.baseUrl}  (${application.product}), at Exeunt: ${application.name}`);
  }

  heading('The user logs in at all four');
  const user = new User('ada', cast.op.issuer);
  for (const application of applications) {
    const page = await user.logIn(application);
    const isIn = page.status === 200 && page.url.href === `${application.baseUrl}/profile`;
    print.check(isIn, `${application.name} lets the user in`, page.body.trim());
  }
  // The OP tells of an event on another way than the one by which the browser got its page.
  const expected = 2 + applications.length;
  await waitUntil(`the OP to report a login and ${expected - 1} joins`, HEARD_WITHIN_MS, async () =>
    reported.length >= expected ? true : undefined,
  );
  showReported(print, reported.splice(0));
  for (const application of applications) {
    const page = await user.visit(application);
    print.check(page.status === 200, `${application.name}'s protected page answers`, String(page.status));
  }

  const down = applications.find(({ name }) => name === options.down);
  let upAgain = Promise.resolve();
  if (down) {
    heading(`${down.name} is down for ${options.downSeconds} s`);
    await children.stop(down.name);
    upAgain = sleep(options.downSeconds * 1000).then(() => startApplication(children, down, exeunt));
    upAgain.catch(() => {});
    const sessions = await storeOf(down).countSessions();
    print.check(sessions === 1, `${down.name} is stopped, and the session is still in its store`, `sessions: ${sessions}`);
  }

  let logoutId;
  if (options.start === 'saml') {
    heading(`The user signs out at ${SAML_SP_NAME}, which sends a LogoutRequest to Exeunt by way of the browser`);
    logoutId = await signOutAtSamlSp({ user, cast, exeunt, print, isPartial: down !== undefined });
  } else {
    heading('The user logs out at the OP, which posts the logout event');
    await user.logOut();
    const ended = await waitUntil('the OP to post session.ended', HEARD_WITHIN_MS, async () =>
      reported.find(({ event }) => event.type === 'session.ended'),
    );
    showReported(print, reported.splice(0));
    logoutId = ended.result.logoutId;
    if (logoutId === undefined) throw new Error(`Exeunt started no logout for session.ended: ${JSON.stringify(ended.result)}`);
  }

  if (down) {
    const others = applications.filter((application) => application !== down);
    const logout = await waitUntil('the applications that are up to be told', FINAL_WITHIN_MS, async () => {
      const now = await exeunt.get(`/v1/logouts/${logoutId}`);
      return others.every(({ name }) => outcomesAt(now, name).join() === 'confirmed') ? now : undefined;
    });
    for (const application of others) await checkLoggedOut(print, user, application);
    print.line('');
    showLogout(print, logout);
    print.line('');
    await upAgain;
    const { status } = await user.visit(down);
    print.line(
      `${down.name} is up again. Its protected page answers ${status}: ${status === 200 ? 'the user is still in there, until Exeunt has told it' : 'Exeunt has told it already'}.`,
    );
  }

  const logout = await waitUntil(
    `logout ${logoutId} to be final`,
    // The pauses between tries grow about fivefold, so the next one after the SP is back may be that much later.
    FINAL_WITHIN_MS + options.downSeconds * 6_000,
    async () => {
      const now = await exeunt.get(`/v1/logouts/${logoutId}`);
      return now.verdict === 'pending' ? undefined : now;
    },
  );

  heading('All four ask for login again');
  for (const application of applications) await checkLoggedOut(print, user, application);

  heading(`The ledger: GET /v1/logouts/${logoutId}`);
  showLogout(print, logout);
  print.line('');
  print.check(logout.verdict === 'complete', 'the logout is complete', logout.verdict);
  for (const name of [OP_AS_SP, ...applications.map((application) => application.name)]) {
    const outcomes = outcomesAt(logout, name);
    print.check(outcomes.join() === 'confirmed', `${name} has confirmed`, outcomes.join(', ') || 'no delivery');
  }
  if (down) {
    const attempts = logout.deliveries.filter((delivery) => delivery.sp === down.name).flatMap((delivery) => delivery.attempts);
    print.check(attempts.length > 1, `${down.name} was told by a retry`, `attempts: ${attempts.length}`);
  }

  heading('The report: GET /v1/reports/completion');
  const report = await fetchCompletion(exeunt);
  showCompletion(print, report);
  return { exeunt, cast };
}

/** @returns the id of the logout that it led to */
async function signOutAtSamlSp({ user, cast, exeunt, print, isPartial }) {
  const page = await user.signOutAt(cast.samlSp);
  const answer = `${cast.samlSp.name}: ${isPartial ? 'signed out here; some applications could not be told yet' : 'signed out everywhere'}`;
  const held = page.url.origin === cast.samlSp.baseUrl && page.body.trim() === answer;
  const status = isPartial ? 'Success/PartialLogout' : 'Success';
  print.check(held, `Exeunt ends the other sessions and answers ${status}`, page.body.trim().slice(0, 200));
  const { items } = await exeunt.get(`/v1/logouts?idp=${IDP}`);
  if (items.length !== 1) throw new Error(`one logout was expected at Exeunt, there are ${items.length}`);
  return items[0].id;
}

async function checkLoggedOut(print, user, application) {
  const { asked, seen } = await user.isAskedToLogIn(application);
  print.check(asked, `${application.name} asks for login`, seen);
}

function outcomesAt(logout, name) {
  return logout.deliveries.filter((delivery) => delivery.sp === name).map((delivery) => delivery.outcome);
}

function storeOf({ kind, sessionDir }) {
  return kind === 'saml' ? new SamlSessionStore(sessionDir) : new FileSessionStore(sessionDir);
}

function showReported(print, reported) {
  for (const { event, result } of reported) {
    const { sid, sessionIndex } = event.handles;
    const name = sid === undefined ? `SessionIndex ${sessionIndex}` : `sid ${sid}`;
    const subject = event.sp ? `${event.sp}, ${name}` : name;
    print.line(`OP -> Exeunt: ${event.type} (${subject}): ${result.status}${result.logoutId ? `, logout ${result.logoutId}` : ''}`);
  }
}
