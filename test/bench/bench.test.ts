import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const run = promisify(execFile);
const BENCH = ['config/tooling/bench.mjs'];

describe('npm run bench', () => {
  it('measures what it is asked for and answers in JSON, alone on standard output', async () => {
    const { stdout } = await run(process.execPath, [...BENCH, '--quick', '--json', '--only', 'intake', '--backend', 'postgres'], {
      env: { ...process.env, NODE_OPTIONS: '' },
      timeout: 110_000,
    });
    const result = JSON.parse(stdout) as { quick: boolean; rounds: number; machine: object; figures: object[]; notes: string[] };
    expect(result).toMatchObject({ quick: true, rounds: 1, roles: 'all', machine: { node: process.version } });
    expect(result.figures).toEqual([
      {
        name: 'intake',
        figure: expect.any(String),
        goal: { atLeast: 0.5 },
        ratio: expect.any(Number),
        absolute: { eventsPerSecond: expect.any(Number), barePerSecond: expect.any(Number) },
        rounds: [expect.any(Number)],
        verdict: expect.stringMatching(/^(met|missed)$/),
      },
    ]);
  }, 120_000);

  it('says what there is when it is asked for something else', async () => {
    const asked = run(process.execPath, [...BENCH, '--only', 'speed']);
    await expect(asked).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--only "speed": there is throughput, intake, latency, hanging, memory, saml'),
    });
  });
});
