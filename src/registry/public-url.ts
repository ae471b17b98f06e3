import type { AddressInfo } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CONFIG } from '#platform';
import type { Config } from '#platform/config';

/**
 * The URL at which the others reach us, as it stands in published documents: server.publicUrl. Without it http:// with the address and
 * port that we listen on, which is good for one machine alone. Never what a request says of itself in its Host header.
 */
@Injectable()
export class PublicUrl {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  /** Without a slash at its end. */
  get(): string {
    const { publicUrl, host, port } = this.config.server;
    return publicUrl ?? `http://${reachable(host)}:${this.boundPort() ?? port}`;
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
