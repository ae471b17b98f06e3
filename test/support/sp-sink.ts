import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt } from 'jose';
import type { JWTPayload } from 'jose';

/** One logout token that an SP got. */
export interface Received {
  sp: string;
  token: string;
  claims: JWTPayload;
  at: number;
}

/** How an SP answers; `hang` never does. */
export type Behaviour = number | 'hang' | ((response: ServerResponse, nth: number) => void);

/** A real HTTP server that is any number of SPs: `/{sp}` each. */
export interface SpSink {
  uri(sp: string): string;
  behave(sp: string, behaviour: Behaviour): void;
  received: Received[];
  of(sp: string): Received[];
  close(): Promise<void>;
}

export async function startSpSink(): Promise<SpSink> {
  const received: Received[] = [];
  const behaviours = new Map<string, Behaviour>();
  const server = createServer((request, response) => {
    const sp = decodeURIComponent(request.url!.split('?')[0]!.slice(1));
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const token = new URLSearchParams(body).get('logout_token')!;
      received.push({ sp, token, claims: decodeJwt(token), at: performance.now() });
      const behaviour = behaviours.get(sp) ?? 200;
      if (behaviour === 'hang') return;
      if (typeof behaviour === 'function') return behaviour(response, received.filter((one) => one.sp === sp).length);
      response.writeHead(behaviour).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    uri: (sp) => `http://127.0.0.1:${port}/${sp}`,
    behave: (sp, behaviour) => void behaviours.set(sp, behaviour),
    received,
    of: (sp) => received.filter((one) => one.sp === sp),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
