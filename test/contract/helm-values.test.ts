import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import type { ValidateFunction } from 'ajv';
import * as prettier from 'prettier';
import { parse } from 'yaml';
import { CHART, mergeValues, readCases } from '../support/helm/chart.js';
import type { Values } from '../support/helm/chart.js';
import { chartConfigSchema } from '../support/helm/config-schema.js';

const SCHEMA = join(CHART, 'values.schema.json');
const VALID = { secrets: { existingSecret: 'exeunt-secrets' } };

let schema: { properties: Record<string, unknown> };
let defaults: Values;
let validate: ValidateFunction;

beforeAll(async () => {
  schema = JSON.parse(await readFile(SCHEMA, 'utf8')) as typeof schema;
  if (process.env.UPDATE_CHART === '1') {
    schema.properties.config = chartConfigSchema();
    await writeFile(SCHEMA, await prettier.format(JSON.stringify(schema), { parser: 'json', printWidth: 140 }));
  }
  defaults = parse(await readFile(join(CHART, 'values.yaml'), 'utf8')) as Values;
  validate = new Ajv({ strict: true, strictTypes: false, allErrors: true, formats: { uri: (text) => URL.canParse(text) } }).compile(schema);
});

/** What the schema says of values over the chart's defaults: where, and which rule. */
function faults(given: Values): string[] {
  const valid = validate(mergeValues(defaults, given));
  return valid ? [] : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.keyword}`);
}

test('the schema takes the default values', () => {
  expect(faults({})).toEqual([]);
});

test('the schema takes each variant of ci/', async () => {
  const cases = await readCases();
  expect(cases.map(([name]) => name)).toEqual(['default', 'everything', 'inline-secrets', 'openshift', 'redis']);
  for (const [name, values] of cases) expect({ name, faults: faults(values) }).toEqual({ name, faults: [] });
});

test('the schema knows every value that values.yaml has, at every depth', () => {
  // A typo in the schema would be met by nobody: each leaf of values.yaml, renamed, must be refused.
  const refused = (path: string[]) => {
    const given = structuredClone(defaults);
    const last = path.at(-1) as string;
    const parent = path.slice(0, -1).reduce((at, key) => at[key] as Values, given);
    parent[`${last}Typo`] = parent[last];
    return !validate(given);
  };
  const accepted: string[] = [];
  let seen = 0;
  const walk = (at: Values, path: string[]) => {
    for (const [key, value] of Object.entries(at)) {
      if (!refused([...path, key])) accepted.push([...path, key].join('.'));
      seen += 1;
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) walk(value as Values, [...path, key]);
    }
  };
  walk(defaults, []);
  expect(seen).toBeGreaterThan(80);
  // Resource names are the cluster's to know.
  expect(accepted.filter((path) => !/\.resources\.(requests|limits)\./.test(path))).toEqual([]);
});

test("the schema of `config` is the program's own, without secrets and what the chart sets", () => {
  // After a change of src/platform/config/schema.ts: UPDATE_CHART=1 npm test -- helm-values
  expect(schema.properties.config).toEqual(chartConfigSchema());
});

describe('the schema refuses', () => {
  const refused: [what: string, values: Values, fault: string][] = [
    ['an unknown value', { replicas: 3 }, ' additionalProperties'],
    ['an unknown value of a part', { api: { replicaCount: 3 } }, '/api additionalProperties'],
    ['an unknown configuration key', { config: { dispatch: { retries: 3 } } }, '/config/dispatch additionalProperties'],
    [
      'a configuration value that the program would refuse',
      { config: { dispatch: { retryJitter: 2 } } },
      '/config/dispatch/retryJitter maximum',
    ],
    ['a configuration value of the wrong type', { config: { dispatch: { drainSeconds: 'long' } } }, '/config/dispatch/drainSeconds type'],
    [
      'a trusted issuer without an audience',
      { config: { auth: { trustedIssuers: [{ issuer: 'https://a.example' }] } } },
      '/config/auth/trustedIssuers/0 required',
    ],
    [
      'an algorithm that signs nothing',
      { config: { auth: { trustedIssuers: [{ issuer: 'https://a.example', audience: 'b', algorithms: ['none'] }] } } },
      '/config/auth/trustedIssuers/0/algorithms/0 enum',
    ],
    ['the database URL in the ConfigMap', { config: { database: { url: 'postgres://u:p@h/d' } } }, '/config/database additionalProperties'],
    ['the Redis URL in the ConfigMap', { config: { queue: { redisUrl: 'redis://h' } } }, '/config/queue additionalProperties'],
    ['the admin token in the ConfigMap', { config: { auth: { adminToken: '0123456789abcdef' } } }, '/config/auth additionalProperties'],
    ['the master key in the ConfigMap', { config: { auth: { masterKey: 'k' } } }, '/config/auth additionalProperties'],
    ['a role in the configuration', { config: { role: 'all' } }, '/config additionalProperties'],
    ['a port in the configuration', { config: { server: { port: 8080 } } }, '/config/server additionalProperties'],
    ['a queue that does not exist', { queue: { backend: 'kafka' } }, '/queue/backend enum'],
    ['a short admin token', { secrets: { inline: { adminToken: 'short' } } }, '/secrets/inline/adminToken pattern'],
    ['a database URL of another kind', { secrets: { inline: { databaseUrl: 'mysql://h/d' } } }, '/secrets/inline/databaseUrl pattern'],
    ['a key that no Secret can have', { secrets: { keys: { masterKey: 'a key' } } }, '/secrets/keys/masterKey pattern'],
    ['root', { podSecurityContext: { runAsUser: 0 } }, '/podSecurityContext/runAsUser oneOf'],
    ['a privileged port', { containerPort: 80 }, '/containerPort minimum'],
    ['replicas as text', { worker: { replicas: '2' } }, '/worker/replicas type'],
    [
      'a budget that lets no node be drained',
      { api: { podDisruptionBudget: { maxUnavailable: 0 } } },
      '/api/podDisruptionBudget/maxUnavailable oneOf',
    ],
    ['a tag and a digest that is none', { image: { digest: 'latest' } }, '/image/digest pattern'],
    ['a tag in the repository', { image: { repository: 'exeunt:1' } }, '/image/repository pattern'],
    ['an ingress without a host', { ingress: { enabled: true } }, '/ingress/hosts minItems'],
    ['a host with a path', { ingress: { enabled: true, hosts: ['a.example/b'] } }, '/ingress/hosts/0 pattern'],
    ['a public URL with a slash at the end', { publicUrl: 'https://a.example/' }, '/publicUrl pattern'],
    ['peers that would be everything', { networkPolicy: { peers: { to: [] } } }, '/networkPolicy/peers/to minItems'],
    ['a variable that the chart sets', { extraEnv: [{ name: 'DATABASE_URL', value: 'x' }] }, '/extraEnv/0/name not'],
    ['a volume in the place of ours', { extraVolumes: [{ name: 'tmp' }] }, '/extraVolumes/0/name not'],
    ['a duration without a unit', { serviceMonitor: { interval: '30' } }, '/serviceMonitor/interval pattern'],
    ['limits as a list', { migration: { resources: { limits: ['1Gi'] } } }, '/migration/resources/limits type'],
    ['no image', { image: null }, ' required'],
  ];

  test.each(refused)('%s', (_, values, fault) => {
    expect(faults({ ...VALID, ...values })).toContain(fault);
  });
});
