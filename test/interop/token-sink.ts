import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP server that is any number of SPs, `/{sp}` each, and keeps what is posted to them without looking into it. */
export interface TokenSink {
  uri(sp: string): string;
  tokensOf(sp: string): string[];
  close(): Promise<void>;
}

export async function startTokenSink(): Promise<TokenSink> {
  const posted: { sp: string; token: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      posted.push({ sp: request.url!.slice(1), token: new URLSearchParams(body).get('logout_token') ?? '' });
      response.writeHead(200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    uri: (sp) => `http://127.0.0.1:${port}/${sp}`,
    tokensOf: (sp) => posted.filter((one) => one.sp === sp).map(({ token }) => token),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
