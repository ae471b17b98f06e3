import ipaddr from 'ipaddr.js';
import { z } from 'zod';

const seconds = (fallback: number) => z.number().int().min(0).default(fallback);
const millis = (fallback: number) => z.number().int().min(1).default(fallback);
const count = (fallback: number) => z.number().int().min(1).default(fallback);

/** `all`: one process does everything. `api` takes requests, `worker` sends: any number of each on one database. */
export const ROLES = ['all', 'api', 'worker'] as const;

const url = (...schemes: string[]) =>
  z.string().refine((text) => URL.canParse(text) && schemes.includes(new URL(text).protocol.slice(0, -1)), {
    error: `expected a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
  });

const network = z.string().refine(ipaddr.isValidCIDR, { error: 'expected an address range in CIDR form, such as 10.0.0.0/8 or fd00::/8' });

const trustedIssuer = z.strictObject({
  issuer: url('https', 'http'),
  audience: z.string().min(1),
  /** Claim that holds the scopes: a space-separated string or an array. */
  scopeClaim: z.string().default('scope'),
  /** Scope that makes the bearer an administrator. */
  adminScope: z.string().default('exeunt.admin'),
  /** Scope that makes the bearer act for the IdP named in `idpClaim`. */
  idpScope: z.string().default('exeunt.idp'),
  idpClaim: z.string().default('exeunt_idp'),
  algorithms: z
    .array(z.enum(['RS256', 'PS256', 'ES256', 'EdDSA']))
    .min(1)
    .default(['RS256', 'PS256', 'ES256', 'EdDSA']),
});

/** One schema for all of the configuration; `config/default.yaml` is its manual. Units are in the names. */
export const configSchema = z
  .strictObject({
    role: z.enum(ROLES).default('all'),
    server: z
      .strictObject({
        host: z.string().min(1).default('127.0.0.1'),
        port: z.number().int().min(0).max(65535).default(3000),
        /** Without a slash at its end: paths are appended to it. */
        publicUrl: url('https', 'http')
          .transform((text) => text.replace(/\/+$/, ''))
          .optional(),
        bodyLimitBytes: count(4 * 1024 * 1024),
        trustProxy: z.boolean().default(false),
        rateLimitPerMinute: count(60_000),
        protocolRateLimitPerMinute: count(6_000),
        waitLimitSeconds: count(30),
      })
      .prefault({}),
    database: z
      .strictObject({
        url: url('postgresql', 'postgres').optional(),
        poolSize: count(10),
        statementTimeoutMs: millis(30_000),
      })
      .prefault({}),
    queue: z
      .strictObject({
        redisUrl: url('redis', 'rediss').optional(),
        redisPrefix: z.string().min(1).default('exeunt'),
        postgresSchema: z
          .string()
          .regex(/^[a-z_][a-z0-9_]*$/, { error: 'expected a plain schema name: lower-case letters, digits and underscores' })
          .default('bullmq'),
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
        allowPrivateNetworks: z.array(network).default([]),
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
        retryDelaysMs: z.array(z.number().int().min(1)).min(1).default([1_000, 3_000, 10_000, 30_000, 120_000, 600_000, 3_600_000]),
        retryJitter: z.number().min(0).max(1).default(0.2),
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
    saml: z
      .strictObject({
        messageMaxAgeSeconds: seconds(300),
        clockSkewSeconds: seconds(60),
        soapAnswerWithinMs: millis(5_000),
        metadataRefreshSeconds: count(3_600),
        metadataLimitBytes: count(12 * 1024 * 1024),
        requestLifetimeSeconds: count(300),
      })
      .prefault({}),
    browser: z
      .strictObject({
        waitSeconds: seconds(3_600),
        legTimeoutMs: millis(5_000),
        answerWithinMs: millis(15_000),
        flowSeconds: seconds(900),
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
  })
  .superRefine(({ role, database, dispatch }, context) => {
    if (role !== 'all' && database.url === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['database', 'url'],
        message: `expected the database that all roles share: role "${role}" has none of its own`,
      });
    }
    if (dispatch.attemptTimeoutMs > dispatch.attemptTimeoutLimitMs) {
      context.addIssue({
        code: 'custom',
        path: ['dispatch', 'attemptTimeoutMs'],
        message: `expected at most dispatch.attemptTimeoutLimitMs, which is ${dispatch.attemptTimeoutLimitMs}`,
      });
    }
    if (dispatch.leaseSeconds * 1_000 <= dispatch.attemptTimeoutLimitMs) {
      context.addIssue({
        code: 'custom',
        path: ['dispatch', 'leaseSeconds'],
        message: `expected more seconds than the longest attempt takes (dispatch.attemptTimeoutLimitMs is ${dispatch.attemptTimeoutLimitMs}): a lease must outlive it`,
      });
    }
  });

export type Config = z.infer<typeof configSchema>;
export type TrustedIssuer = z.infer<typeof trustedIssuer>;
