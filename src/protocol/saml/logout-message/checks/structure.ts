import { NS } from '../../terms.js';
import type { SamlMessageKind } from '../../types.js';
import { attributeOf, attributesOf, elementsIn, hasTextBesideElements, isNamed, onlyText } from '../../xml/index.js';
import type { LogoutMessageCheck } from '../message-in-hand.js';
import { judgeExtensions, judgeStatus } from '../judge-open-content.js';
import { judgeNameIdForm } from '../read-name-id.js';
import { quoted, schemaRefusal } from '../schema-refusal.js';
import { isId, utcOf } from '../xml-types.js';

const ROOT: Record<SamlMessageKind, string> = { request: 'LogoutRequest', response: 'LogoutResponse' };
const ATTRIBUTES: Record<SamlMessageKind, readonly string[]> = {
  request: ['ID', 'Version', 'IssueInstant', 'Destination', 'Consent', 'NotOnOrAfter', 'Reason'],
  response: ['ID', 'Version', 'IssueInstant', 'Destination', 'Consent', 'InResponseTo'],
};
/** Longer ones nobody sends; they would be kept. */
const LONGEST_ATTRIBUTE = 2_048;

/** What may stand where: names, and how often at least and at most. */
interface Place {
  names: readonly (readonly [namespace: string, name: string])[];
  least: number;
  most: number;
}
const BEGINNING: readonly Place[] = [
  { names: [[NS.saml, 'Issuer']], least: 1, most: 1 },
  { names: [[NS.ds, 'Signature']], least: 0, most: 1 },
  { names: [[NS.samlp, 'Extensions']], least: 0, most: 1 },
];
const CHILDREN: Record<SamlMessageKind, readonly Place[]> = {
  request: [
    ...BEGINNING,
    {
      names: [
        [NS.saml, 'BaseID'],
        [NS.saml, 'NameID'],
        [NS.saml, 'EncryptedID'],
      ],
      least: 1,
      most: 1,
    },
    { names: [[NS.samlp, 'SessionIndex']], least: 0, most: Infinity },
  ],
  response: [...BEGINNING, { names: [[NS.samlp, 'Status']], least: 1, most: 1 }],
};

/**
 * The protocol schema, without its freedoms: child elements in their order, no attribute and no element that it does not name, identifiers
 * and times as they must be written. @see SLO-1 to SLO-3, SLO-12, SLO-13
 */
export const itHasTheStructureOfALogoutMessage: LogoutMessageCheck = ({ root, incoming: { kind } }) => {
  if (!isNamed(root, NS.samlp, ROOT[kind])) {
    throw schemaRefusal('SLO-1', `the message must be a samlp:${ROOT[kind]}, it is ${quoted(root.localName)}`);
  }
  judgeAttributes(root, kind);
  judgeOrder(root, CHILDREN[kind]);
  for (const child of elementsIn(root)) judgeChild(child);
};

function judgeAttributes(root: Element, kind: SamlMessageKind): void {
  for (const { name, namespaceURI, value } of attributesOf(root)) {
    if (namespaceURI || !ATTRIBUTES[kind].includes(name)) throw schemaRefusal('SLO-1', `a ${ROOT[kind]} has no attribute ${quoted(name)}`);
    if (value.length > LONGEST_ATTRIBUTE) throw schemaRefusal('SLO-1', `${name} is longer than ${LONGEST_ATTRIBUTE} characters`);
  }
  const id = attributeOf(root, 'ID');
  if (id === null || !isId(id))
    throw schemaRefusal('SLO-2', `ID must be an NCName of at most 256 characters, it is ${id === null ? 'missing' : quoted(id)}`);
  if (attributeOf(root, 'Version') === null) throw schemaRefusal('SLO-1', 'Version is missing');
  judgeTime('IssueInstant', attributeOf(root, 'IssueInstant') ?? '');
  const notOnOrAfter = attributeOf(root, 'NotOnOrAfter');
  if (notOnOrAfter !== null) judgeTime('NotOnOrAfter', notOnOrAfter);
  const inResponseTo = attributeOf(root, 'InResponseTo');
  if (inResponseTo !== null && !isId(inResponseTo))
    throw schemaRefusal('SLO-13', `InResponseTo must be an NCName, it is ${quoted(inResponseTo)}`);
}

function judgeTime(name: string, text: string): void {
  if (utcOf(text) === null)
    throw schemaRefusal('SLO-3', `${name} must be an xs:dateTime in UTC, like 2025-01-31T23:59:59Z, it is ${quoted(text)}`);
}

function judgeOrder(root: Element, places: readonly Place[]): void {
  if (hasTextBesideElements(root)) throw schemaRefusal('SLO-1', 'there is text between the elements');
  const waiting = elementsIn(root);
  for (const { names, least, most } of places) {
    let found = 0;
    while (found < most && waiting[0] && names.some(([namespace, name]) => isNamed(waiting[0]!, namespace, name))) {
      waiting.shift();
      found += 1;
    }
    if (found >= least) continue;
    const wanted = names.map(([, name]) => name).join(' or ');
    throw schemaRefusal(
      'SLO-1',
      `${wanted} is missing, or not where it must be${waiting[0] ? `: ${quoted(waiting[0].localName)} stands there` : ''}`,
    );
  }
  if (waiting[0]) throw schemaRefusal('SLO-1', `${quoted(waiting[0].localName)} must not be there, or not at that place`);
}

function judgeChild(child: Element): void {
  switch (child.localName) {
    case 'Issuer':
      if (onlyText(child) === null) throw schemaRefusal('SLO-4', 'Issuer must have text alone');
      return;
    case 'NameID':
      judgeNameIdForm(child);
      return;
    case 'BaseID':
      throw schemaRefusal('SLO-1', 'BaseID names nobody by itself: wanted is a NameID or an EncryptedID');
    case 'SessionIndex':
      if (attributesOf(child).length > 0 || (onlyText(child) ?? '') === '')
        throw schemaRefusal('SLO-8', 'SessionIndex must have text, and nothing else');
      return;
    case 'Extensions':
      judgeExtensions(child);
      return;
    case 'Status':
      judgeStatus(child);
      return;
    default:
    // Signature and EncryptedID have checks of their own.
  }
}
