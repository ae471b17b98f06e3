import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inflateRawSync } from 'node:zlib';
import { DOMParser } from '@xmldom/xmldom';
import { makePeer } from './saml-peer.js';
import type { Binding, Credential, Endpoint, SamlPeer } from './saml-peer.js';

/** Its session, for the tests that need one. */
const COOKIE = 'sp-session=1';

/** Longer than the page takes to ask again how all stand. Milliseconds. */
const SLOWLY = 1_200;

type FrontBinding = Exclude<Binding, 'soap'>;

/**
 * What the SP does with a LogoutRequest that a browser brings. A status as `peer.response` takes it (`Success`, `Responder/RequestDenied`, ...), or
 * - `hang`: nothing ever comes
 * - `silent`: a page, after {@link SLOWLY}, and no answer
 * - `no-framing`: an error page that may not be in a frame
 * - `breaks-out`: a page whose script takes the whole window
 * - `cookie`: `Success` with its session cookie, which the first visit to `/` set, and `Responder` without
 */
export type FrontBehaviour = 'hang' | 'silent' | 'no-framing' | 'breaks-out' | 'cookie' | (string & {});

/** A message that a browser brought. */
export interface FrontMessage {
  binding: FrontBinding;
  kind: 'SAMLRequest' | 'SAMLResponse';
  xml: string;
  id: string;
  relayState: string | null;
  /** The browser went away before the page was there. */
  wasCut: boolean;
  /** Headers of the browser's request. */
  headers: IncomingMessage['headers'];
  /** The whole URL, as the signature of the query needs it. */
  url: string;
}

/** A SAML SP on an origin of its own, which is told by way of a browser. */
export interface FrontSp {
  origin: string;
  peer: SamlPeer;
  endpoints: Endpoint[];
  received: FrontMessage[];
  /** How it answers from now on; by binding where that differs. */
  behave(behaviour: FrontBehaviour | Record<FrontBinding, FrontBehaviour>): void;
  close(): Promise<void>;
}

export interface FrontSpParts {
  entityId: string;
  credential: Credential;
  /** The endpoints that it has. Default: Redirect. */
  bindings?: FrontBinding[];
  /** How its answers go. Default: Redirect. */
  answersBy?: FrontBinding;
  /** Where they go: known when the service is up. */
  answersTo: string;
  /** As the browser sees it. Default: 127.0.0.1 */
  hostname?: string;
}

export async function startFrontSp(parts: FrontSpParts): Promise<FrontSp> {
  const { entityId, credential, bindings = ['redirect'], answersBy = 'redirect', answersTo, hostname = '127.0.0.1' } = parts;
  const peer = makePeer(entityId, credential);
  const received: FrontMessage[] = [];
  let behaviours: Record<FrontBinding, FrontBehaviour> = { redirect: 'Success', post: 'Success' };
  let origin = '';

  const answer = (message: FrontMessage, request: IncomingMessage, response: ServerResponse): void => {
    const behaviour = behaviours[message.binding];
    if (behaviour === 'hang') return;
    if (behaviour === 'silent') return void setTimeout(() => page(response, '<h1>Signed out</h1>'), SLOWLY);
    if (behaviour === 'no-framing') return page(response, '<h1>Broken</h1>', { 'x-frame-options': 'DENY' }, 500);
    if (behaviour === 'breaks-out') return page(response, '<script>top.location = location.origin + "/"</script>');
    const known = request.headers.cookie?.includes(COOKIE) ?? false;
    const status = behaviour !== 'cookie' ? behaviour : known ? 'Success' : 'Responder/UnknownPrincipal';
    const xml = peer.response({ inResponseTo: message.id, destination: answersTo, status });
    if (answersBy === 'redirect') return void response.writeHead(303, { location: peer.redirect(answersTo, xml) }).end();
    page(response, autoForm(answersTo, Buffer.from(peer.sign(xml)).toString('base64')));
  };

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const url = new URL(request.url!, origin);
      if (url.pathname !== '/slo') {
        return page(response, `<h1>${entityId}</h1>`, { 'set-cookie': `${COOKIE}; Path=/; Secure; SameSite=None` });
      }
      const message = read(request, url, Buffer.concat(chunks).toString());
      received.push(message);
      response.on('close', () => (message.wasCut = !response.writableFinished));
      if (message.kind === 'SAMLResponse') return page(response, '<h1>You are back</h1>');
      answer(message, request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://${hostname}:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    peer,
    endpoints: bindings.map((binding) => ({ binding, location: `${origin}/slo` })),
    received,
    behave: (behaviour) => {
      behaviours = typeof behaviour === 'string' ? { redirect: behaviour, post: behaviour } : behaviour;
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function read(request: IncomingMessage, url: URL, body: string): FrontMessage {
  const binding = request.method === 'POST' ? 'post' : 'redirect';
  const fields = binding === 'post' ? new URLSearchParams(body) : url.searchParams;
  const kind = fields.has('SAMLRequest') ? 'SAMLRequest' : 'SAMLResponse';
  const bytes = Buffer.from(fields.get(kind)!, 'base64');
  const xml = (binding === 'post' ? bytes : inflateRawSync(bytes)).toString();
  const id = new DOMParser().parseFromString(xml, 'text/xml').documentElement.getAttribute('ID')!;
  return { binding, kind, xml, id, relayState: fields.get('RelayState'), wasCut: false, headers: request.headers, url: url.href };
}

function page(response: ServerResponse, body: string, headers: Record<string, string> = {}, status = 200): void {
  response.writeHead(status, { 'content-type': 'text/html', ...headers }).end(`<!doctype html><title>SP</title>${body}`);
}

function autoForm(action: string, message: string): string {
  return (
    `<form method="post" action="${action}"><input type="hidden" name="SAMLResponse" value="${message}"><button>Continue</button></form>` +
    '<script>document.forms[0].submit()</script>'
  );
}
