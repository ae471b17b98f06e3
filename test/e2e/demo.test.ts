import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const DEMO = fileURLToPath(new URL('../../config/tooling/demo.mjs', import.meta.url));
/** Where the runs put their data: a run that is killed cannot remove it. */
const temporary = mkdtempSync(join(tmpdir(), 'exeunt-demo-test-'));
chmodSync(temporary, 0o711);
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

const RUN_LIMIT_MS = 200_000;
const TEST_LIMIT_MS = 260_000;

interface Run {
  code: number | null;
  output: string;
}

/** Runs the demo to its end; `watch` sees the output as it grows and may signal the process. */
async function runDemo(args: string[], watch: (output: string, signal: (name: NodeJS.Signals) => void) => void = () => {}): Promise<Run> {
  const child = spawn(process.execPath, [DEMO, ...args], { env: { ...process.env, TMPDIR: temporary }, stdio: ['ignore', 'pipe', 'pipe'] });
  // Earlier than the test's own limit, which would leave the processes running.
  const limit = setTimeout(() => child.kill('SIGTERM'), RUN_LIMIT_MS);
  let output = '';
  const take = (chunk: Buffer) => {
    output += chunk.toString();
    watch(output, (name) => child.kill(name));
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearTimeout(limit);
  return { code, output };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** The programs of the demo that still listen at an address that it printed. */
async function leftBehind(output: string): Promise<number[]> {
  const ports = [...new Set([...output.matchAll(/http:\/\/127\.0\.0\.1:(\d+)/g)].map((match) => Number(match[1])))];
  const open = await Promise.all(ports.map(listens));
  return ports.filter((_, i) => open[i]);
}

/** For a failing test: what the demo said, instead of a bare "expected 0". */
function expectSuccess({ code, output }: Run): void {
  if (code !== 0) throw new Error(`the demo ended with exit code ${code}:\n${output}`);
  expect(output).not.toContain('FAIL');
}

function expectAllLoggedOut({ output }: Run): void {
  for (const application of ['rp1', 'rp2', 'rp3', 'saml-sp']) {
    expect(output).toContain(`ok   ${application}'s protected page answers (200)`);
    expect(output).toContain(`ok   ${application} asks for login (302 to the OP, which asks for login)`);
  }
  for (const told of ['op', 'rp1', 'rp2', 'rp3', 'saml-sp']) expect(output).toContain(`ok   ${told} has confirmed (confirmed)`);
  expect(output).toContain('ok   the completion rate is 100 % (100 %)');
}

describe('npm run demo', () => {
  test(
    'ends with the applications of both protocols logged out, every delivery confirmed and a completion rate of 100 %',
    async () => {
      const run = await runDemo([]);
      expectSuccess(run);
      expectAllLoggedOut(run);
      expect(run.output).toMatch(/saml-sp +saml-soap +confirmed/);
      expect(run.output).toContain('ok   the completion rate is 100 % (100 %)');
      expect(await leftBehind(run.output)).toEqual([]);
    },
    TEST_LIMIT_MS,
  );

  test(
    'an application that is down during the logout is told by a retry after it is back, and the completion rate is 100 %',
    async () => {
      const run = await runDemo(['--down', 'rp2', '--down-seconds', '5']);
      expectSuccess(run);
      expectAllLoggedOut(run);
      expect(run.output).toContain('ok   rp2 is stopped, and the session is still in its store (sessions: 1)');
      expect(run.output).toMatch(/rp2 +oidc-backchannel +retrying/);
      expect(run.output).toContain('ok   rp2 asks for login');
      expect(run.output).toMatch(/ok {3}rp2 was told by a retry \(attempts: [2-9]\)/);
      expect(run.output).toContain('ok   the completion rate is 100 % (100 %)');
      expect(await leftBehind(run.output)).toEqual([]);
    },
    TEST_LIMIT_MS,
  );

  test(
    'a logout that begins at the SAML application ends the sessions at the OP and at the applications of OpenID Connect, and is answered with Success',
    async () => {
      const run = await runDemo(['--start', 'saml']);
      expectSuccess(run);
      expectAllLoggedOut(run);
      expect(run.output).toContain('answers Success (saml-sp: signed out everywhere)');
      expect(run.output).toMatch(/saml-sp +confirmed .* it asked for this logout itself/);
      expect(await leftBehind(run.output)).toEqual([]);
    },
    TEST_LIMIT_MS,
  );

  test(
    'a logout that begins at the SAML application while another one is down is answered with PartialLogout, and completed later',
    async () => {
      const run = await runDemo(['--start', 'saml', '--down', 'rp3', '--down-seconds', '10']);
      expectSuccess(run);
      expectAllLoggedOut(run);
      expect(run.output).toContain('answers Success/PartialLogout (saml-sp: signed out here; some applications could not be told yet)');
      expect(run.output).toMatch(/ok {3}rp3 was told by a retry \(attempts: [2-9]\)/);
      expect(await leftBehind(run.output)).toEqual([]);
    },
    TEST_LIMIT_MS,
  );

  test(
    'Ctrl-C in the middle stops every process that it started',
    async () => {
      let signalled = false;
      const run = await runDemo([], (output, signal) => {
        if (signalled || !output.includes('rp1 lets the user in')) return;
        signalled = true;
        signal('SIGINT');
      });
      expect(run.code).toBe(130);
      expect(await leftBehind(run.output)).toEqual([]);
    },
    TEST_LIMIT_MS,
  );

  test(
    'a demo that is killed leaves nothing behind either',
    async () => {
      let killed = false;
      const run = await runDemo([], (output, signal) => {
        if (killed || !output.includes('rp1 lets the user in')) return;
        killed = true;
        signal('SIGKILL');
      });
      expect(run.code).toBeNull();
      const giveUpAt = Date.now() + 60_000;
      let left = await leftBehind(run.output);
      while (left.length > 0 && Date.now() < giveUpAt) {
        await sleep(100);
        left = await leftBehind(run.output);
      }
      expect(left).toEqual([]);
    },
    TEST_LIMIT_MS,
  );

  test('an option that is not understood is named, with the values wanted, and starts nothing', async () => {
    const run = await runDemo(['--down', 'rp9']);
    expect(run.code).toBe(2);
    expect(run.output).toContain('--down: "rp9" is not an application of the demo; one of rp1, rp2, rp3, saml-sp');
  });
});
