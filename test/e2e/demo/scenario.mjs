import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { castOf, IDP, register, startOp, startRp } from './cast.mjs';
import { FileSessionStore } from './file-session-store.mjs';
import { freePorts } from './ports.mjs';
import { showCompletion, fetchCompletion } from './show-completion.mjs';
import { showLogout } from './show-ledger.mjs';
import { startExeunt } from './start-exeunt.mjs';
import { User } from './user.mjs';
import { waitUntil } from './wait-until.mjs';

const FINAL_WITHIN_MS = 60_000;

/**
 * One user, three applications, one logout, told in order.
 * @param {{ options: { down?: string, downSeconds: number }, children: import('./children.mjs').Children, dataDir: string, print: import('./print.mjs').Printer }} stage
 * @throws when a step cannot be done at all; checks that do not hold are counted by `print`
 */
export async function playScenario({ options, children, dataDir, print }) {
  print.heading('1. Exeunt, an OP and three applications');
  const [exeuntPort, opPort, ...rpPorts] = await freePorts(5);
  const exeunt = await startExeunt({ children, port: exeuntPort, dataDir: join(dataDir, 'exeunt') });
  print.line(`Exeunt       ${exeunt.baseUrl}`);
  const cast = await castOf({ opPort, rpPorts, dataDir });
  const apiKey = await register(exeunt, cast);
  const reported = [];
  await startOp(children, cast, exeunt, apiKey, (event, result) => reported.push({ event, result }));
  print.line(`OP           ${cast.op.issuer}  (oidc-provider), at Exeunt: ${IDP}`);
  for (const rp of cast.rps) {
    await startRp(children, rp);
    print.line(`application  ${rp.baseUrl}  (express-openid-connect), at Exeunt: ${rp.name}`);
  }

  print.heading('2. The user logs in at all three');
  const user = new User('ada', cast.op.issuer);
  for (const rp of cast.rps) {
    const page = await user.logIn(rp);
    print.check(page.status === 200 && page.url.href === `${rp.baseUrl}/profile`, `${rp.name} lets the user in`, page.body.trim());
  }
  // The OP tells of an event on another way than the one by which the browser got its page.
  await waitUntil('the OP to report a login and three joins', 5_000, async () => (reported.length > cast.rps.length ? true : undefined));
  showReported(print, reported.splice(0));
  for (const rp of cast.rps) {
    const page = await user.visit(rp);
    print.check(page.status === 200, `${rp.name}'s protected page answers`, String(page.status));
  }

  const down = cast.rps.find((rp) => rp.name === options.down);
  let upAgain = Promise.resolve();
  if (down) {
    print.heading(`3. ${down.name} is down for ${options.downSeconds} s`);
    await children.stop(down.name);
    upAgain = sleep(options.downSeconds * 1000).then(() => startRp(children, down));
    upAgain.catch(() => {});
    const sessions = await new FileSessionStore(down.sessionDir).countSessions();
    print.check(sessions === 1, `${down.name} is stopped, and the session is still in its store`, `sessions: ${sessions}`);
  }

  print.heading(`${down ? 4 : 3}. The user logs out at the OP, which posts the logout event`);
  await user.logOut();
  const ended = await waitUntil('the OP to post session.ended', 5_000, async () =>
    reported.find(({ event }) => event.type === 'session.ended'),
  );
  showReported(print, reported.splice(0));
  const logoutId = ended.result.logoutId;
  if (logoutId === undefined) throw new Error(`Exeunt started no logout for session.ended: ${JSON.stringify(ended.result)}`);

  if (down) {
    const others = cast.rps.filter((rp) => rp !== down);
    const logout = await waitUntil('the applications that are up to be told', FINAL_WITHIN_MS, async () => {
      const now = await exeunt.get(`/v1/logouts/${logoutId}`);
      return now.deliveries.filter((delivery) => delivery.outcome === 'confirmed').length >= others.length ? now : undefined;
    });
    for (const rp of others) await checkLoggedOut(print, user, rp);
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

  print.heading(`${down ? 5 : 4}. All three ask for login again`);
  for (const rp of cast.rps) await checkLoggedOut(print, user, rp);

  print.heading(`${down ? 6 : 5}. The ledger: GET /v1/logouts/${logoutId}`);
  showLogout(print, logout);
  print.line('');
  print.check(logout.verdict === 'complete', 'the logout is complete', logout.verdict);
  for (const rp of cast.rps) {
    const outcomes = logout.deliveries.filter((delivery) => delivery.sp === rp.name).map((delivery) => delivery.outcome);
    print.check(outcomes.join() === 'confirmed', `${rp.name} has confirmed`, outcomes.join(', ') || 'no delivery');
  }
  if (down) {
    const attempts = logout.deliveries.filter((delivery) => delivery.sp === down.name).flatMap((delivery) => delivery.attempts);
    print.check(attempts.length > 1, `${down.name} was told by a retry`, `attempts: ${attempts.length}`);
  }

  print.heading(`${down ? 7 : 6}. The report: GET /v1/reports/completion`);
  const report = await fetchCompletion(exeunt);
  showCompletion(print, report);
  return { exeunt, cast };
}

async function checkLoggedOut(print, user, rp) {
  const { asked, seen } = await user.isAskedToLogIn(rp);
  print.check(asked, `${rp.name} asks for login`, seen);
}

function showReported(print, reported) {
  for (const { event, result } of reported) {
    const subject = event.sp ? `${event.sp}, sid ${event.handles.sid}` : `sid ${event.handles.sid}`;
    print.line(`OP -> Exeunt: ${event.type} (${subject}): ${result.status}${result.logoutId ? `, logout ${result.logoutId}` : ''}`);
  }
}
