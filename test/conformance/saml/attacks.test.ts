import { SamlMessageRefused, SoapFault } from '#protocol/saml';
import { loadCorpus } from './attacks/load-corpus.js';
import type { AttackOnTheWire } from './attacks/load-corpus.js';
import { WORLD } from './attacks/world.js';
import { judge } from './judge.js';

const corpus = loadCorpus();
const attacks = corpus.filter(({ refusal }) => refusal !== null);
const originals = corpus.filter(({ refusal }) => refusal === null);
const label = ({ clause, name }: AttackOnTheWire) => `${clause} ${name}`;

/** How it ended: with what it is refused, or null. */
async function refusalOf(attack: AttackOnTheWire): Promise<string | null> {
  try {
    await judge(attack);
    return null;
  } catch (error) {
    if (error instanceof SamlMessageRefused) return error.code;
    if (error instanceof SoapFault) return `fault ${error.faultCode}`;
    throw error;
  }
}

describe('SLOX-1 to SLOX-20: attacks on the verifier', () => {
  it.each(attacks.map((attack) => [label(attack), attack] as const))('refuses %s', async (_, attack) => {
    expect(await refusalOf(attack)).toBe(attack.refusal);
  });

  it.each(originals.map((original) => [label(original), original] as const))(
    'believes what they were made from: %s',
    async (_, original) => {
      const common = { binding: original.binding, kind: original.kind, issuer: WORLD.issuer };
      const { value, format, spNameQualifier } = WORLD.nameId;
      const nameId = original.name.endsWith('encrypted') ? { value } : { value, format, spNameQualifier };
      const rest =
        original.kind === 'request'
          ? { id: '_request-1', nameId, sessionIndexes: [WORLD.sessionIndex], asynchronous: false }
          : { id: '_response-1', inResponseTo: WORLD.inResponseTo, status: { code: 'Success', subCode: null, message: null } };
      await expect(judge(original)).resolves.toMatchObject({ ...common, ...rest });
    },
  );

  it('has enough of them: every clause, every binding, requests and responses', () => {
    const seen = new Set(attacks.map(({ binding, kind }) => `${binding} ${kind}`));
    expect(seen.size).toBe(6);
    // Replays and what happens to a RelayState afterwards are no matter of one message.
    const clauses = new Set(attacks.map(({ clause }) => clause));
    for (let n = 1; n <= 20; n += 1) expect(clauses).toContain(`SLOX-${n}`);
    expect(attacks.length).toBeGreaterThan(300);
    expect(new Set(corpus.map(({ name }) => name)).size).toBe(corpus.length);
  });
});
