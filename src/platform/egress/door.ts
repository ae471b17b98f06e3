import { Agent } from 'undici';
import { ExeuntError } from '#domain';
import { firstRefusal, guardedConnector } from './connector.js';
import type { AddressVerdict, EgressRequest, EgressResult } from './egress.js';
import { exchange } from './exchange.js';
import { EgressFault } from './fault.js';
import { guardedFetch } from './fetch.js';
import { parseNetworks, type Network } from './networks.js';
import { Resolver, type Lookup } from './resolver.js';
import { parseTarget } from './target.js';

/** The `egress` part of the configuration. */
export interface EgressSettings {
  /** CIDRs that are open although they are not global; only to them may `http:` speak. */
  allowPrivateNetworks: readonly string[];
  /** Resolution, connection and TLS handshake together. Milliseconds. */
  connectTimeoutMs: number;
  /** Where a response body is cut unless the request says otherwise. Bytes. */
  responseLimitBytes: number;
  /** Longest document (JWKS, discovery, metadata) that {@link Egress.fetch} takes. Bytes. */
  documentLimitBytes: number;
  /** Sockets to one origin; further requests wait, and the wait counts in their time. */
  maxSocketsPerOrigin: number;
}

/** What a caller may replace or watch. */
export interface EgressOptions {
  /** Instead of the system's resolver. */
  lookup?: Lookup;
  /** PEM of the certificate authorities to trust, instead of Node's own and NODE_EXTRA_CA_CERTS. */
  ca?: readonly string[];
  /** Told of every refused address, for the metric. */
  onRefused?: () => void;
}

/** The longest that {@link Egress.judge} waits for a resolver. Milliseconds. */
const JUDGE_WITHIN_MS = 2_000;
/** Response headers in all. Bytes. */
const HEADER_LIMIT_BYTES = 16 * 1024;

/**
 * The only way out. Every request, whoever asks for it, passes the same address policy at the moment its socket is opened;
 * redirects are not followed, time and size are bounded, certificates are always verified.
 * @see BCL-6
 */
export class Egress {
  private readonly allowed: readonly Network[];
  private readonly resolver: Resolver;
  private readonly agent: Agent;
  private closed = false;

  /**
   * For libraries that bring their own HTTP (`customFetch` of jose and openid-client): GET, HEAD and POST through the same door, document limit, bounded
   * time, redirects handed back as they are. Rejects with a `TypeError` whose message says why, as `fetch` does.
   */
  readonly fetch: typeof globalThis.fetch;

  /** @throws {@link ExeuntError} `configuration` when a network in the settings is not a CIDR. */
  constructor(
    private readonly settings: EgressSettings,
    private readonly options: EgressOptions = {},
  ) {
    this.allowed = parseNetworks(settings.allowPrivateNetworks, 'egress.allowPrivateNetworks');
    this.resolver = new Resolver(options.lookup);
    this.agent = new Agent({
      connect: guardedConnector({ allowed: this.allowed, resolver: this.resolver, timeoutMs: settings.connectTimeoutMs, ca: options.ca }),
      connections: settings.maxSocketsPerOrigin,
      pipelining: 1,
      maxHeaderSize: HEADER_LIMIT_BYTES,
      // Each exchange has one timer over everything, which is shorter.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveMaxTimeout: 60_000,
    });
    this.fetch = guardedFetch({
      agent: this.agent,
      allowed: this.allowed,
      limitBytes: settings.documentLimitBytes,
      onRefused: () => this.options.onRefused?.(),
    });
  }

  /**
   * Sends one request and collects the answer. What the peer or its address does is in the result.
   * @throws {@link ExeuntError} `unavailable` after {@link close}, `internal` when the request itself is not valid HTTP.
   */
  async send(request: EgressRequest): Promise<EgressResult> {
    this.assertSendable(request);
    const started = performance.now();
    const parsed = parseTarget(request.url, this.allowed);
    if ('error' in parsed) return this.refused(parsed.error, started);
    const { origin, path } = parsed.target;
    try {
      const answer = await exchange(this.agent, {
        origin,
        path,
        method: request.method,
        headers: request.headers,
        body: request.body,
        timeoutMs: request.timeoutMs,
        limitBytes: request.responseLimitBytes ?? this.settings.responseLimitBytes,
      });
      return {
        kind: 'response',
        status: answer.status,
        headers: answer.headers,
        body: answer.body.toString('utf8'),
        truncated: answer.truncated,
        durationMs: performance.now() - started,
      };
    } catch (error) {
      if (!(error instanceof EgressFault)) throw error;
      if (error.fault === 'refused-address') return this.refused(error.message, started);
      return { kind: 'failed', code: error.fault, error: error.message, durationMs: performance.now() - started };
    }
  }

  /**
   * The verdict on a URL without calling it, for registration: the same policy as {@link send}. A name that does not resolve, or not within
   * 2 s, is allowed for now (`resolved: false`); delivery judges again.
   */
  async judge(url: string): Promise<AddressVerdict> {
    const parsed = parseTarget(url, this.allowed);
    if ('error' in parsed) return { allowed: false, error: parsed.error };
    const { host, scheme, literal } = parsed.target;
    if (literal) return { allowed: true, resolved: true };
    const addresses = await this.resolveSoon(host);
    if (addresses === undefined) return { allowed: true, resolved: false };
    const refusal = firstRefusal(host, addresses, scheme, this.allowed);
    return refusal ? { allowed: false, error: refusal } : { allowed: true, resolved: true };
  }

  /** Waits for what is on its way, then closes the kept sockets. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.agent.close();
  }

  private refused(error: string, started: number): EgressResult {
    this.options.onRefused?.();
    return { kind: 'refused-address', error, durationMs: performance.now() - started };
  }

  private async resolveSoon(host: string): Promise<readonly string[] | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, JUDGE_WITHIN_MS, undefined)));
    try {
      return await Promise.race([this.resolver.resolve(host), late]);
    } catch {
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  private assertSendable(request: EgressRequest): void {
    if (this.closed) throw new ExeuntError('unavailable', 'egress is closed: the process is stopping');
    for (const name in request.headers) {
      // It would also choose the TLS server name, past the address that was judged.
      if (name.toLowerCase() === 'host') throw new ExeuntError('internal', 'the Host header is taken from the URL and may not be set');
    }
  }
}
