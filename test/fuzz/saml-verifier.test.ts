import { fuzzSamlVerifier } from './saml-verifier.js';

describe('SLOX-13: messages changed by chance', () => {
  it('are refused, or say what was signed; nothing crashes, nothing hangs', async () => {
    const report = await fuzzSamlVerifier({ seed: 20_260_304, executions: 1_000, minutes: 2 });
    expect(report.findings).toEqual([]);
    expect(report.executions).toBe(1_000);
    // They get far enough to be worth it.
    expect(report.harmless).toBeGreaterThan(5);
    for (const code of ['malformed', 'forbidden_xml', 'schema', 'bad_signature', 'unsigned', 'fault Client']) {
      expect(report.refusals.get(code)).toBeGreaterThan(5);
    }
  });
});
