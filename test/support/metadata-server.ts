import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Served {
  status?: number;
  body?: string;
  headers?: Record<string, string>;
}

/** Serves metadata on loopback, with ETags, and remembers how it was asked. */
export interface MetadataServer {
  /** A new URL, where this is served until something else is. */
  serve(served: Served | string): {
    url: string;
    now(served: Served | string): void;
    asked: { etag: string | undefined; accept: string | undefined }[];
  };
  close(): Promise<void>;
}

export async function startMetadataServer(): Promise<MetadataServer> {
  const places = new Map<string, { served: Served; asked: { etag: string | undefined; accept: string | undefined }[] }>();
  const server = createServer((request, response) => {
    const place = places.get(request.url!);
    const { status = 200, body = '', headers = {} } = place?.served ?? { status: 404 };
    const etag = request.headers['if-none-match'];
    place?.asked.push({ etag, accept: request.headers.accept });
    const known = etag !== undefined && etag === headers['etag'];
    response.writeHead(known ? 304 : status, headers).end(known ? undefined : body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    serve(first) {
      const path = `/${places.size}`;
      const place = { served: servedOf(first), asked: [] };
      places.set(path, place);
      return { url: base + path, now: (served) => void (place.served = servedOf(served)), asked: place.asked };
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function servedOf(served: Served | string): Served {
  return typeof served === 'string' ? { body: served } : served;
}
