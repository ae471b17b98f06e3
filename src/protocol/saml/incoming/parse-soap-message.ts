import { SamlMessageRefused } from '../saml-message-refused.js';
import { NS } from '../terms.js';
import type { IncomingMessage, SamlMessageKind } from '../types.js';
import { attributesOf, elementsIn, hasTextBesideElements, isNamed, onlyText, parseStrictXml, standAlone } from '../xml/index.js';
import { SoapFault } from './soap-fault.js';

const SOAP_1_2 = 'http://www.w3.org/2003/05/soap-envelope';
const NEXT_ACTOR = 'http://schemas.xmlsoap.org/soap/actor/next';

/**
 * The message in a SOAP 1.1 envelope. It is taken out of the envelope here, once, as canonical XML with the namespaces that it stood in:
 * what is judged and read later is that document and no other, and what else is in the envelope, whatever ID it has, is gone.
 *
 * @param body of the HTTP request or of the answer to one.
 * @throws SoapFault when it is no such envelope, or wants something understood that is none of ours
 * @throws SamlMessageRefused `malformed` when it is a fault, which is an answer
 * @see SLO-57, SLO-59, SLO-87, SLOX-3
 */
export function parseSoapMessage(body: string): IncomingMessage {
  const envelope = parseEnvelope(body);
  const [first, ...others] = elementsIn(envelope);
  const header = first && isNamed(first, NS.soap, 'Header') ? first : null;
  const soapBody = header ? others.shift() : first;
  if (header) refuseWhatMustBeUnderstood(header);
  if (!soapBody || !isNamed(soapBody, NS.soap, 'Body') || others.length > 0 || hasTextBesideElements(envelope)) {
    throw new SoapFault('Client', 'a SOAP Envelope must have an optional Header and one Body, and nothing else');
  }
  const contents = elementsIn(soapBody);
  const [message] = contents;
  if (!message || contents.length > 1 || hasTextBesideElements(soapBody)) {
    throw new SoapFault('Client', `the SOAP Body must have exactly one element, it has ${contents.length}`);
  }
  if (isNamed(message, NS.soap, 'Fault')) throw new SamlMessageRefused('malformed', 'SLO-59', `a SOAP fault came: ${faultOf(message)}`);
  return { binding: 'soap', kind: kindOf(message), xml: standAlone(message), relayState: null, querySignature: null };
}

function parseEnvelope(body: string): Element {
  let root: Element;
  try {
    root = parseStrictXml(body).documentElement;
  } catch (error) {
    if (!(error instanceof SamlMessageRefused)) throw error;
    throw new SoapFault('Client', error.description, { cause: error });
  }
  if (isNamed(root, NS.soap, 'Envelope')) return root;
  if (root.localName !== 'Envelope') throw new SoapFault('Client', `the body must be a SOAP 1.1 Envelope, it is ${quoted(root.localName)}`);
  const seen = root.namespaceURI === SOAP_1_2 ? 'that of SOAP 1.2' : quoted(root.namespaceURI ?? '');
  throw new SoapFault('VersionMismatch', `the namespace of the Envelope must be ${NS.soap}, it is ${seen}`);
}

/** No header block is any of ours. One that is for another actor on the way is none of ours either. */
function refuseWhatMustBeUnderstood(header: Element): void {
  for (const block of elementsIn(header)) {
    const soap = (name: string) => attributesOf(block).find((one) => one.namespaceURI === NS.soap && one.localName === name)?.value;
    const must = soap('mustUnderstand');
    const actor = soap('actor');
    if (must === undefined || must === '0' || must === 'false') continue;
    if (actor !== undefined && actor !== '' && actor !== NEXT_ACTOR) continue;
    throw new SoapFault('MustUnderstand', `the header ${quoted(block.localName)} must be understood, and no header is`);
  }
}

function kindOf(message: Element): SamlMessageKind {
  if (isNamed(message, NS.samlp, 'LogoutRequest')) return 'request';
  if (isNamed(message, NS.samlp, 'LogoutResponse')) return 'response';
  throw new SoapFault(
    'Client',
    `the SOAP Body must have a samlp:LogoutRequest or samlp:LogoutResponse, it has ${quoted(message.localName)}`,
  );
}

function faultOf(fault: Element): string {
  const text = (name: string) => elementsIn(fault).find((one) => one.localName === name);
  const parts = [text('faultcode'), text('faultstring')].flatMap((one) => (one ? [quoted(onlyText(one) ?? '')] : []));
  return parts.length === 0 ? 'without a code' : parts.join(', ');
}

const quoted = (text: string) => JSON.stringify(text.replace(/[\p{C}\s]+/gu, ' ').slice(0, 100));
