import type { AddressInfo } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Logger } from 'pino';
import { CONFIG, LOGGER } from '#platform';
import type { Config } from '#platform/config';

/**
 * The URL at which the others reach us, as it stands in published documents: server.publicUrl. Without it http:// with the address and
 * port that we listen on, which is good for one machine alone. Never what a request says of itself in its Host header.
 */
@Injectable()
export class PublicUrl {
  private warned = false;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly adapterHost: HttpAdapterHost,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Without a slash at its end. */
  get(): string {
    const { publicUrl, host, port } = this.config.server;
    if (publicUrl !== undefined) return publicUrl;
    const own = `http://${reachable(host)}:${this.boundPort() ?? port}`;
    this.warnOnce(own);
    return own;
  }

  private warnOnce(url: string): void {
    if (this.warned) return;
    this.warned = true;
    this.logger.warn(
      { url },
      'server.publicUrl (PUBLIC_URL) is not set: what is published names an address that only this machine can be sure to reach',
    );
  }

  /** The port that port 0 has become. */
  private boundPort(): number | null {
    const server = this.adapterHost.httpAdapter?.getHttpServer() as { address(): AddressInfo | string | null } | undefined;
    const address = server?.address();
    return typeof address === 'object' && address !== null ? address.port : null;
  }
}

/** All interfaces are no address to call. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
