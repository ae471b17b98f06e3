import { z } from 'zod';

const seconds = (fallback: number) => z.coerce.number().int().min(0).default(fallback);
const millis = (fallback: number) => z.coerce.number().int().min(1).default(fallback);
const count = (fallback: number) => z.coerce.number().int().min(1).default(fallback);

export const ROLES = ['all', 'api', 'worker'] as const;

const trustedIssuer = z.strictObject({
  issuer: z.url(),
  audience: z.string().min(1),
  /** Claim that holds the scopes: a space-separated string or an array. */
  scopeClaim: z.string().default('scope'),
  /** Scope that makes the bearer an administrator. */
  adminScope: z.string().default('exeunt.admin'),
  /** Scope that makes the bearer act for the IdP named in `idpClaim`. */
  idpScope: z.string().default('exeunt.idp'),
  idpClaim: z.string().default('exeunt_idp'),
  algorithms: z.array(z.enum(['RS256', 'PS256', 'ES256', 'EdDSA'])).min(1).default(['RS256', 'PS256', 'ES256', 'EdDSA']),
});

/** One schema for all of the configuration; `config/default.yaml` is its manual. Units are in the names. */
export const configSchema = z.strictObject({
  role: z.enum(ROLES).default('all'),
  server: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: z.coerce.number().int().min(0).max(65535).default(3000),
      publicUrl: z.url().optional(),
      bodyLimitBytes: count(4 * 1024 * 1024),
      trustProxy: z.boolean().default(false),
      rateLimitPerMinute: count(60_000),
      protocolRateLimitPerMinute: count(6_000),
      waitLimitSeconds: count(30),
    })
    .prefault({}),
  database: z
    .strictObject({
      url: z.url().optional(),
      poolSize: count(10),
      statementTimeoutMs: millis(30_000),
    })
    .prefault({}),
  queue: z
    .strictObject({
      redisUrl: z.url().optional(),
      redisPrefix: z.string().min(1).default('exeunt'),
      postgresSchema: z.string().regex(/^[a-z_][a-z0-9_]*$/).default('bullmq'),
      poolSize: count(4),
    })
    .prefault({}),
  dataDir: z.string().min(1).default('.exeunt'),
  auth: z
    .strictObject({
      adminToken: z.string().min(16).optional(),
      masterKey: z.string().min(1).optional(),
      trustedIssuers: z.array(trustedIssuer).default([]),
    })
    .prefault({}),
  egress: z
    .strictObject({
      allowPrivateNetworks: z.array(z.string()).default([]),
      connectTimeoutMs: millis(2_000),
      responseLimitBytes: count(64 * 1024),
      documentLimitBytes: count(1024 * 1024),
      maxSocketsPerOrigin: count(32),
    })
    .prefault({}),
  dispatch: z
    .strictObject({
      concurrentJobs: count(32),
      jobWaitMs: millis(250),
      leaseSeconds: seconds(60),
      attemptTimeoutMs: millis(5_000),
      attemptTimeoutLimitMs: millis(30_000),
      deliveryDeadlineSeconds: seconds(86_400),
      layerWaitMs: millis(2_000),
      retryDelaysMs: z.array(z.coerce.number().int().min(1)).min(1).default([1_000, 3_000, 10_000, 30_000, 120_000, 600_000, 3_600_000]),
      retryJitter: z.coerce.number().min(0).max(1).default(0.2),
      retryAfterLimitSeconds: seconds(3_600),
      sweepIntervalMs: millis(1_000),
      sweepGraceSeconds: seconds(15),
      drainSeconds: seconds(20),
      laneConcurrency: count(16),
      laneQueueFactor: count(8),
      breakerFailures: count(5),
      breakerOpenMs: millis(5_000),
    })
    .prefault({}),
  keys: z
    .strictObject({
      rotationOverlapSeconds: seconds(86_400),
      jwksMaxAgeSeconds: seconds(300),
      upstreamJwksCacheSeconds: seconds(600),
      upstreamJwksCooldownSeconds: seconds(30),
    })
    .prefault({}),
  retention: z
    .strictObject({
      attemptsDays: count(90),
      ledgerDays: count(400),
      endedSessionsDays: count(30),
      eventIdsDays: count(30),
      intervalSeconds: count(3_600),
    })
    .prefault({}),
  log: z.strictObject({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info') }).prefault({}),
});

export type Config = z.infer<typeof configSchema>;
export type TrustedIssuer = z.infer<typeof trustedIssuer>;
