import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { JSONWebKeySet, JWK, JWTPayload } from 'jose';
import { PYTHON } from './products.js';

export interface Case {
  token: string;
  jwks: JSONWebKeySet;
  alg: string;
  issuer: string;
  audience: string;
  decryption?: { key: JWK; alg: string; enc: string };
}

export interface Judgement {
  header: Record<string, unknown>;
  claims: JWTPayload;
  /** The JWE header. */
  outer?: Record<string, unknown>;
}

/** What jwcrypto makes of a token. @throws Error with what does not hold, in the judge's words */
export function judge(given: Case): Judgement {
  const { status, stdout, stderr } = spawnSync(PYTHON, [join(process.cwd(), 'test/interop/judge_logout_token.py')], {
    input: JSON.stringify(given),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr.trim());
  return JSON.parse(stdout) as Judgement;
}
