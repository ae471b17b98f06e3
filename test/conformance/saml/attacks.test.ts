import { SamlMessageRefused, SoapFault } from '#protocol/saml';
import { loadCorpus, onTheWire } from './attacks/load-corpus.js';
import type { AttackOnTheWire } from './attacks/load-corpus.js';
import { makeAttacks, makeOriginals } from './attacks/make-corpus.js';
import { WORLD } from './attacks/world.js';
import { expectationOf, judge } from './judge.js';

const corpus = loadCorpus();
const attacks = corpus.filter(({ refusal }) => refusal !== null);
const originals = corpus.filter(({ refusal }) => refusal === null);
const label = ({ clause, name }: AttackOnTheWire) => `${clause} ${name}`;

/** How it ended: with what it is refused, or null. */
async function refusalOf(attack: AttackOnTheWire, world = WORLD): Promise<string | null> {
  try {
    await judge(attack, expectationOf(world));
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

  it('is what its generator makes', () => {
    const made = new Map([...makeOriginals(WORLD), ...makeAttacks(WORLD)].map((one) => [one.name, one]));
    expect(corpus.map(({ name }) => name)).toEqual(Array.from(made.keys()));
    // Encryption is another one each time, and how well zlib packs is up to its version.
    const fixed = corpus.filter(
      ({ clause, name, wire }) => (wire === 'xml' || wire === 'envelope') && clause !== 'SLO-85' && !name.endsWith('-encrypted'),
    );
    for (const { name, text } of fixed) expect([name, text]).toEqual([name, made.get(name)!.text]);
  });

  it('is refused for the same reasons in another world: a running service', async () => {
    const world = {
      ...WORLD,
      now: new Date('2031-12-31T23:59:58Z'),
      issuer: 'urn:example:sp',
      destination: 'http://127.0.0.1:3000/saml/slo/corp',
      otherDestination: 'http://127.0.0.1:3000/saml/slo/corp-2',
      nameId: {
        value: 's\u00f8m\u00e9one@example.org',
        format: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
        spNameQualifier: 'urn:example:sp',
      },
      inResponseTo: '_abc',
    };
    for (const one of makeOriginals(world)) expect([one.name, await refusalOf(onTheWire(one), world)]).toEqual([one.name, null]);
    const ended = await Promise.all(makeAttacks(world).map(async (one) => [one.name, await refusalOf(onTheWire(one), world)]));
    expect(ended).toEqual(makeAttacks(world).map(({ name, refusal }) => [name, refusal]));
  });
});
