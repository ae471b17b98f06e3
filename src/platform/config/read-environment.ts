import { parse } from 'yaml';
import type { Layer } from './layers.js';
import { SCHEMA_KEYS } from './schema-keys.js';

/** The environment as handed to the process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables with a name of their own. All others are `EXEUNT_<SECTION>__<KEY>`. */
export const VARIABLES: Readonly<Record<string, string>> = {
  PORT: 'server.port',
  HOST: 'server.host',
  PUBLIC_URL: 'server.publicUrl',
  DATABASE_URL: 'database.url',
  REDIS_URL: 'queue.redisUrl',
  EXEUNT_ADMIN_TOKEN: 'auth.adminToken',
  EXEUNT_DATA_DIR: 'dataDir',
  EXEUNT_MASTER_KEY: 'auth.masterKey',
  EXEUNT_ROLE: 'role',
  EXEUNT_ALLOW_PRIVATE_NETWORKS: 'egress.allowPrivateNetworks',
};

const GENERIC = /^EXEUNT_([A-Z0-9]+(?:_[A-Z0-9]+)*)__([A-Z0-9_]+)$/;

/**
 * What the environment says. An empty variable is not set: that is how a compose file or a chart leaves one out.
 * An `EXEUNT_A__B` that fits no key is unreadable; other unknown variables are none of ours (Kubernetes itself makes
 * `EXEUNT_PORT` and the like for a service of that name).
 */
export function readEnvironment(env: Environment): Layer {
  const layer: Layer = { settings: [], unreadable: [] };
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined || text === '') continue;
    const key = VARIABLES[name] ?? keyOf(name);
    if (key === undefined) continue;
    const kind = SCHEMA_KEYS.get(key);
    if (kind === undefined) {
      layer.unreadable.push({ field: name, rule: `unknown: there is no key ${key}; config/default.yaml has them all` });
      continue;
    }
    const value = kind === 'text' ? text : kind === 'list' ? list(text) : scalar(text);
    layer.settings.push({ path: key.split('.'), value, source: name });
  }
  return layer;
}

function keyOf(name: string): string | undefined {
  const [, section, key] = GENERIC.exec(name) ?? [];
  return section && key ? `${camelCase(section)}.${camelCase(key)}` : undefined;
}

function camelCase(name: string): string {
  return name.toLowerCase().replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** `10.0.0.0/8,127.0.0.0/8`, or a YAML (so also JSON) list where the items are not plain. */
function list(text: string): unknown {
  if (/^\s*\[/.test(text)) return yaml(text);
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .map(scalar);
}

function scalar(text: string): unknown {
  return /^\s*(-?\d+(\.\d+)?|true|false)\s*$/.test(text) ? yaml(text) : text;
}

/** What is no YAML stays the text that it is; the schema says what is wrong with it. */
function yaml(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return text;
  }
}
