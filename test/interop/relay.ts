import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import type { JWTPayload, ProtectedHeaderParameters } from 'jose';

/** A logout token that went past, and what its receiver answered. */
export interface Passed {
  token: string;
  header: ProtectedHeaderParameters;
  /** Empty when the token is encrypted. */
  claims: JWTPayload;
  status: number;
  body: string;
}

/** A wire that can be listened to and cut: what is posted to it goes on to `target` as it is. */
export interface Relay {
  /** Ends at `target`, an origin; path and query stay. */
  via(target: string, path: string): string;
  passed: Passed[];
  /** The next answer is lost: the receiver has acted, and the sender never hears of it. */
  loseNextAnswer(): void;
  close(): Promise<void>;
}

export async function startRelay(): Promise<Relay> {
  const passed: Passed[] = [];
  const targets: string[] = [];
  let lose = false;
  const server = createServer((request, response) => {
    void (async () => {
      const [, index, path] = /^\/(\d+)(\/.*)$/.exec(request.url!)!;
      let body = '';
      for await (const chunk of request.setEncoding('utf8')) body += chunk as string;
      const answer = await fetch(targets[Number(index)]! + path!, {
        method: request.method!,
        redirect: 'manual',
        headers: { 'content-type': request.headers['content-type'] ?? '' },
        body,
      });
      const text = await answer.text();
      const token = new URLSearchParams(body).get('logout_token')!;
      passed.push({
        token,
        header: decodeProtectedHeader(token),
        claims: isEncrypted(token) ? {} : decodeJwt(token),
        status: answer.status,
        body: text,
      });
      if (lose) {
        lose = false;
        request.socket.destroy();
        return;
      }
      response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(text);
    })().catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    via: (target, path) => `http://127.0.0.1:${port}/${targets.push(target) - 1}${path}`,
    passed,
    loseNextAnswer: () => void (lose = true),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

const isEncrypted = (token: string) => token.split('.').length === 5;
