import { isIP, connect as connectTcp, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { buildConnector } from 'undici';
import { codeOf, EgressFault, textOf, type FaultKind } from './fault.js';
import type { Network } from './networks.js';
import { refusalOf, type Scheme } from './refusal.js';
import type { Resolver } from './resolver.js';
import { TlsSessions } from './tls-sessions.js';

export interface ConnectorSettings {
  allowed: readonly Network[];
  resolver: Resolver;
  /** Resolution, connection and TLS handshake together. Milliseconds. */
  timeoutMs: number;
  /** PEM of the authorities to trust; undefined: those of Node and NODE_EXTRA_CA_CERTS. */
  ca?: readonly string[];
}

/** Before the next address of a name is tried beside the one that has not answered (RFC 8305 section 5). */
const NEXT_ADDRESS_AFTER_MS = 250;

/**
 * The only place that opens outbound sockets. A name is resolved once, every address is judged, and the socket is opened to exactly the
 * judged addresses: a name that answers differently the second time (rebinding) is judged the second time or not asked.
 */
export function guardedConnector(settings: ConnectorSettings): buildConnector.connector {
  const sessions = new TlsSessions();
  return (options, callback) => {
    const scheme = options.protocol as Scheme;
    const host = options.hostname;
    const port = Number(options.port) || (scheme === 'https:' ? 443 : 80);
    let stage: FaultKind = 'dns';
    let settled = false;
    let socket: Socket | undefined;

    const fail = (error: EgressFault) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      socket?.destroy();
      callback(error, null);
    };
    const timer = setTimeout(() => fail(tooSlow(stage, host, port, settings.timeoutMs)), settings.timeoutMs);

    const open = (addresses: readonly string[]) => {
      if (settled) return;
      const refusal = firstRefusal(host, addresses, scheme, settings.allowed);
      if (refusal) return fail(new EgressFault('refused-address', refusal));
      stage = 'connect';
      const to = {
        host,
        port,
        lookup: pinnedTo(addresses),
        autoSelectFamily: true,
        autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_AFTER_MS,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: 60_000,
      };
      socket =
        scheme === 'https:'
          ? connectTls({
              ...to,
              servername: isIP(host) === 0 ? host.replace(/\.$/, '') : '',
              ALPNProtocols: ['http/1.1'],
              // Said aloud, so that NODE_TLS_REJECT_UNAUTHORIZED=0 does not reach here.
              rejectUnauthorized: true,
              session: sessions.get(host, port),
              ca: settings.ca as string[] | undefined,
            })
          : connectTcp(to);
      const opened = socket;
      const ready = () => {
        if (settled) return;
        settled = true;
        clearTimeout(timer);
        callback(null, opened);
      };
      if (scheme === 'https:') {
        opened.once('connect', () => (stage = 'tls'));
        opened.once('secureConnect', ready);
        opened.on('session', (session: Buffer) => sessions.set(host, port, session));
      } else {
        opened.once('connect', ready);
      }
      opened.on('error', (error) => fail(new EgressFault(stageOf(stage, error), textOf(error), { cause: error })));
    };

    const addresses = isIP(host) === 0 ? settings.resolver.resolve(host) : Promise.resolve([host]);
    addresses.then(open, (error: unknown) => fail(new EgressFault('dns', textOf(error), { cause: error })));
  };
}

/**
 * One refused address refuses the name. A name with good and bad addresses is a mistake or an attack; were the bad ones only left
 * out, the verdict would change with the order and the weather of the resolver, and registration could not promise what delivery does.
 */
export function firstRefusal(host: string, addresses: readonly string[], scheme: Scheme, allowed: readonly Network[]): string | undefined {
  for (const address of addresses) {
    const refusal = refusalOf(address, scheme, allowed);
    if (refusal) return address === host ? refusal : `${host} resolves to ${addresses.join(', ')}; ${refusal}`.slice(0, 500);
  }
  return undefined;
}

/** Answers the socket's own question for the name with what has been judged. */
function pinnedTo(addresses: readonly string[]): LookupFunction {
  const entries = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_name, options, callback) => {
    const first = entries[0];
    if (options.all === true) callback(null, entries);
    else callback(null, first?.address ?? '', first?.family);
  };
}

function stageOf(stage: FaultKind, error: Error): FaultKind {
  // With several addresses the socket says `connect` late; the error itself knows better.
  return /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_)/.test(codeOf(error)) ? 'tls' : stage;
}

function tooSlow(stage: FaultKind, host: string, port: number, timeoutMs: number): EgressFault {
  if (stage === 'dns') return new EgressFault('dns', `${host} was not resolved within ${timeoutMs} ms`);
  return new EgressFault('timeout', `no ${stage === 'tls' ? 'TLS handshake' : 'connection'} with ${host}:${port} within ${timeoutMs} ms`);
}
