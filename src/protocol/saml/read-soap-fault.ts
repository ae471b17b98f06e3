import { SamlMessageRefused } from './saml-message-refused.js';
import { NS } from './terms.js';
import { elementsIn, isNamed, onlyText, parseStrictXml } from './xml/index.js';
import type { SoapFaultContent } from './build/wrap-soap.js';

const BLAMES_US = ['Client', 'VersionMismatch', 'MustUnderstand'] as const;

/**
 * The SOAP 1.1 fault in an answer to a message of ours; null when it is none. Nothing signs a fault: it says at most that nothing was done.
 * A code that the specification does not know is taken as `Server`.
 * @see SLO-59, SOAP 1.1 section 4.4
 */
export function readSoapFault(body: string): SoapFaultContent | null {
  const fault = findFault(body);
  if (fault === null) return null;
  const textOf = (name: string) => {
    const [element] = elementsIn(fault).filter((one) => one.localName === name);
    return (element && onlyText(element)?.trim()) ?? '';
  };
  // A qualified name, of which the first part before a dot is SOAP's own.
  const code = textOf('faultcode').replace(/^.*:/, '').replace(/\..*$/, '');
  return { faultCode: BLAMES_US.find((one) => one === code) ?? 'Server', description: textOf('faultstring') };
}

function findFault(body: string): Element | null {
  let root: Element;
  try {
    root = parseStrictXml(body).documentElement;
  } catch (error) {
    if (error instanceof SamlMessageRefused) return null;
    throw error;
  }
  if (!isNamed(root, NS.soap, 'Envelope')) return null;
  const soapBody = elementsIn(root).find((one) => isNamed(one, NS.soap, 'Body'));
  return soapBody === undefined ? null : (elementsIn(soapBody).find((one) => isNamed(one, NS.soap, 'Fault')) ?? null);
}
