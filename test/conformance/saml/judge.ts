import { parsePostMessage, parseRedirectMessage, parseSoapMessage, readClaimedSender, verifyLogoutMessage } from '#protocol/saml';
import type { MessageExpectation, VerifiedLogoutRequest, VerifiedLogoutResponse } from '#protocol/saml';
import type { AttackOnTheWire } from './attacks/load-corpus.js';
import { WORLD } from './attacks/world.js';
import type { World } from './attacks/world.js';

/** What the registration of the peer says. */
export function expectationOf(world: World = WORLD): MessageExpectation {
  return {
    issuer: world.issuer,
    certificates: [world.peer.certificate],
    destinations: [world.destination],
    allowSha1: false,
    decryptionKeys: [world.ours.key],
    now: world.now,
    maxAgeSeconds: 300,
    skewSeconds: 60,
  };
}

type OnTheWire = Pick<AttackOnTheWire, 'binding' | 'http'>;

/** Takes it in as intake would, and judges it. @throws SamlMessageRefused, SoapFault */
export async function judge(
  { binding, http }: OnTheWire,
  expected: MessageExpectation = expectationOf(),
): Promise<VerifiedLogoutRequest | VerifiedLogoutResponse> {
  const message = parse({ binding, http });
  readClaimedSender(message);
  return verifyLogoutMessage(message, expected);
}

function parse({ binding, http }: OnTheWire) {
  if (http.method === 'GET') return parseRedirectMessage(http.query);
  return binding === 'soap' ? parseSoapMessage(http.body) : parsePostMessage(fieldsOf(http.body));
}

/** As the framework leaves a form: a field that stands there twice is an array. */
function fieldsOf(body: string): Record<string, unknown> {
  const parameters = new URLSearchParams(body);
  return Object.fromEntries(
    Array.from(new Set(parameters.keys()), (name) => {
      const all = parameters.getAll(name);
      return [name, all.length === 1 ? all[0] : all];
    }),
  );
}
