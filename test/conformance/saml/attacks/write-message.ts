import type { SamlMessageKind } from '#protocol/saml';
import type { World } from './world.js';

export const SAMLP = 'urn:oasis:names:tc:SAML:2.0:protocol';
export const SAML = 'urn:oasis:names:tc:SAML:2.0:assertion';
export const DS = 'http://www.w3.org/2000/09/xmldsig#';
export const SIGNATURE_PLACE = '<!--signature-->';

/** What may be other than it must be. Texts are XML already. */
export interface MessageChanges {
  id?: string;
  version?: string;
  issueInstant?: string;
  /** Null: none. */
  destination?: string | null;
  notOnOrAfter?: string | null;
  /** Null: none. */
  issuer?: string | null;
  issuerAttributes?: string;
  /** The whole element that names the person. */
  identifier?: string;
  nameId?: string;
  nameIdAttributes?: string;
  sessionIndexes?: string;
  inResponseTo?: string;
  status?: string;
  extensions?: string;
  /** More attributes of the root, in the order of canonical XML behind all others. */
  attributes?: string;
}

const iso = (date: Date) => date.toISOString().replace('.000Z', 'Z');

/**
 * A message in the very form that exclusive canonicalisation gives it, so that its text is what is digested; with a mark where the signature
 * goes. Written out, so that nothing of what it is tried on has a part in it.
 */
export function writeMessage(world: World, kind: SamlMessageKind, changes: MessageChanges = {}): string {
  const { id = kind === 'request' ? '_request-1' : '_response-1', version = '2.0', issueInstant = iso(world.now) } = changes;
  const destination = changes.destination === undefined ? world.destination : changes.destination;
  const inResponseTo = changes.inResponseTo ?? world.inResponseTo;
  const until = changes.notOnOrAfter === undefined ? iso(new Date(world.now.getTime() + 120_000)) : changes.notOnOrAfter;
  const name = kind === 'request' ? 'LogoutRequest' : 'LogoutResponse';
  const attributes = [
    ...(destination === null ? [] : [` Destination="${destination}"`]),
    ` ID="${id}"`,
    ...(kind === 'response' ? [` InResponseTo="${inResponseTo}"`] : []),
    ` IssueInstant="${issueInstant}"`,
    ...(kind === 'request' && until !== null ? [` NotOnOrAfter="${until}"`] : []),
    ` Version="${version}"`,
    changes.attributes ?? '',
  ].join('');
  const issuer = changes.issuer === undefined ? world.issuer : changes.issuer;
  const issuerElement = issuer === null ? '' : `<saml:Issuer xmlns:saml="${SAML}"${changes.issuerAttributes ?? ''}>${issuer}</saml:Issuer>`;
  const extensions = changes.extensions === undefined ? '' : `<samlp:Extensions>${changes.extensions}</samlp:Extensions>`;
  const rest = kind === 'request' ? requestContent(world, changes) : (changes.status ?? SUCCESS);
  return `<samlp:${name} xmlns:samlp="${SAMLP}"${attributes}>${issuerElement}${SIGNATURE_PLACE}${extensions}${rest}</samlp:${name}>`;
}

export const SUCCESS = `<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"></samlp:StatusCode></samlp:Status>`;

function requestContent(world: World, changes: MessageChanges): string {
  const { format, spNameQualifier } = world.nameId;
  const attributes = changes.nameIdAttributes ?? ` Format="${format}" SPNameQualifier="${spNameQualifier}"`;
  const identifier =
    changes.identifier ?? `<saml:NameID xmlns:saml="${SAML}"${attributes}>${changes.nameId ?? world.nameId.value}</saml:NameID>`;
  return identifier + (changes.sessionIndexes ?? `<samlp:SessionIndex>${world.sessionIndex}</samlp:SessionIndex>`);
}

export const unsigned = (message: string) => message.replace(SIGNATURE_PLACE, '');

/** A message without signature, with the mark where one would go. */
export const signable = (xml: string) => xml.replace('</saml:Issuer>', (end) => end + SIGNATURE_PLACE);
