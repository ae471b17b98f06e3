import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DOMParser } from '@xmldom/xmldom';
import { envelope } from './saml-peer.js';
import type { SamlPeer } from './saml-peer.js';

/** A status as `peer.response` takes it, an HTTP status, or `hang`: no answer at all. */
export type SamlBehaviour = string | number;

/** A real HTTP server that is any number of SPs with SOAP single logout: `/{sp}` each. */
export interface SamlSpSink {
  uri(sp: string): string;
  /** This SP lives here from now on, and answers so. Default: `Success`. */
  host(sp: string, peer: SamlPeer, behaviour?: SamlBehaviour): void;
  /** The XML of the envelopes that came for it. */
  of(sp: string): string[];
  close(): Promise<void>;
}

export async function startSamlSpSink(): Promise<SamlSpSink> {
  const hosted = new Map<string, { peer: SamlPeer; behaviour: SamlBehaviour }>();
  const received: { sp: string; xml: string }[] = [];
  const server = createServer((request, response) => {
    const sp = decodeURIComponent(request.url!.slice(1));
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      received.push({ sp, xml: body });
      answer(hosted.get(sp), body, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    uri: (sp) => `http://127.0.0.1:${port}/${sp}`,
    host: (sp, peer, behaviour = 'Success') => void hosted.set(sp, { peer, behaviour }),
    of: (sp) => received.filter((one) => one.sp === sp).map((one) => one.xml),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function answer(hosted: { peer: SamlPeer; behaviour: SamlBehaviour } | undefined, body: string, response: ServerResponse): void {
  if (hosted === undefined) return void response.writeHead(404).end();
  const { peer, behaviour } = hosted;
  if (behaviour === 'hang') return;
  if (typeof behaviour === 'number') return void response.writeHead(behaviour).end();
  const document = new DOMParser().parseFromString(body, 'text/xml');
  const [request] = Array.from(document.getElementsByTagNameNS('urn:oasis:names:tc:SAML:2.0:protocol', 'LogoutRequest'));
  const xml = peer.sign(peer.response({ inResponseTo: request!.getAttribute('ID')!, destination: null, status: behaviour }));
  response.writeHead(200, { 'content-type': 'text/xml' }).end(envelope(xml));
}
