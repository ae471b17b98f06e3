import { NS, STATUS_PREFIX } from '../terms.js';
import type { IncomingMessage, MessageExpectation, SamlStatus, VerifiedLogoutRequest, VerifiedLogoutResponse } from '../types.js';
import { attributeOf, elementsIn, isNamed, onlyText, parseStrictXml } from '../xml/index.js';
import { decryptNameId } from './decrypt-name-id.js';
import { LOGOUT_MESSAGE_CHECKS } from './logout-message-checks.js';
import type { MessageInHand } from './message-in-hand.js';
import { readNameId } from './read-name-id.js';
import { utcOf } from './xml-types.js';

/**
 * Judges a logout message by all of LOGOUT_MESSAGE_CHECKS, in their order, and reads it: all that is returned was signed by the issuer.
 * Whether its ID was seen before (SLO-88), whether a response was awaited (SLO-13), and whose sessions a request may end (SLO-89), is
 * not judged here.
 *
 * @param message as `parseRedirectMessage`, `parsePostMessage` or `parseSoapMessage` returned it.
 * @throws SamlMessageRefused at the first check that fails
 * @see SLO-81 to SLO-88, ASLO-5
 */
export function verifyLogoutMessage(
  message: IncomingMessage,
  expected: MessageExpectation,
): Promise<VerifiedLogoutRequest | VerifiedLogoutResponse> {
  // A promise, so that the cryptography may move to a thread of its own; what is thrown is a rejection in any case.
  return Promise.resolve().then(() => {
    const inHand: MessageInHand = { incoming: message, root: parseStrictXml(message.xml).documentElement };
    for (const [, check] of LOGOUT_MESSAGE_CHECKS) check(inHand, expected);
    return message.kind === 'request' ? readRequest(inHand, expected) : readResponse(inHand);
  });
}

function readRequest(message: MessageInHand, expected: MessageExpectation): VerifiedLogoutRequest {
  const { root } = message;
  const notOnOrAfter = utcOf(attributeOf(root, 'NotOnOrAfter') ?? '');
  const common = readCommon(message);
  const encrypted = childOf(root, NS.saml, 'EncryptedID');
  const nameId = encrypted ? decryptNameId(encrypted, expected.decryptionKeys) : childOf(root, NS.saml, 'NameID')!;
  const extensions = childOf(root, NS.samlp, 'Extensions');
  // After it a second copy is refused for its age alone. @see SLO-88
  const acceptableUntil = Math.min(notOnOrAfter?.getTime() ?? Infinity, common.issueInstant.getTime() + expected.maxAgeSeconds * 1_000);
  return {
    kind: 'request',
    ...common,
    notOnOrAfter,
    reason: attributeOf(root, 'Reason'),
    nameId: readNameId(nameId),
    sessionIndexes: elementsIn(root)
      .filter((one) => isNamed(one, NS.samlp, 'SessionIndex'))
      .map((one) => onlyText(one) ?? ''),
    asynchronous: extensions !== undefined && childOf(extensions, NS.aslo, 'Asynchronous') !== undefined,
    forgetAt: new Date(Math.ceil(acceptableUntil + expected.skewSeconds * 1_000)),
  };
}

function readResponse(message: MessageInHand): VerifiedLogoutResponse {
  const { root } = message;
  const status = childOf(root, NS.samlp, 'Status')!;
  return {
    kind: 'response',
    ...readCommon(message),
    inResponseTo: attributeOf(root, 'InResponseTo'),
    status: readStatus(status),
  };
}

function readCommon({ root, incoming }: MessageInHand) {
  return {
    binding: incoming.binding,
    id: attributeOf(root, 'ID')!,
    issuer: onlyText(childOf(root, NS.saml, 'Issuer')!)!,
    issueInstant: utcOf(attributeOf(root, 'IssueInstant')!)!,
    relayState: incoming.relayState,
  };
}

/** @see SLO-16, SLO-19 */
function readStatus(status: Element): SamlStatus {
  const code = childOf(status, NS.samlp, 'StatusCode')!;
  const inner = childOf(code, NS.samlp, 'StatusCode');
  const message = childOf(status, NS.samlp, 'StatusMessage');
  return { code: shortCode(code), subCode: inner ? shortCode(inner) : null, message: message ? onlyText(message) : null };
}

function shortCode(code: Element): string {
  const value = attributeOf(code, 'Value')!;
  return value.startsWith(STATUS_PREFIX) ? value.slice(STATUS_PREFIX.length) : value;
}

function childOf(parent: Element, namespace: string, name: string): Element | undefined {
  return elementsIn(parent).find((one) => isNamed(one, namespace, name));
}
