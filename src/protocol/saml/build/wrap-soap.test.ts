import { DOMParser } from '@xmldom/xmldom';
import { readSoapFault } from '../read-soap-fault.js';
import { NS } from '../terms.js';
import { buildSoapFault, wrapSoap } from './wrap-soap.js';

describe('wrapSoap', () => {
  it('SLO-57 is a SOAP 1.1 envelope whose Body has the message and nothing else', () => {
    const root = new DOMParser().parseFromString(wrapSoap('<m/>'), 'text/xml').documentElement;
    expect([root.namespaceURI, root.localName, root.childNodes.length]).toEqual([NS.soap, 'Envelope', 1]);
    const body = root.firstChild as Element;
    expect([body.namespaceURI, body.localName, body.childNodes.length]).toEqual([NS.soap, 'Body', 1]);
    expect((body.firstChild as Element).localName).toBe('m');
  });
});

describe('buildSoapFault', () => {
  it.each(['Client', 'Server', 'VersionMismatch', 'MustUnderstand'] as const)('SLO-59 is a fault %s that can be read back', (faultCode) => {
    const fault = { faultCode, description: 'wanted <a>, seen "b" & c' };
    expect(readSoapFault(buildSoapFault(fault))).toEqual(fault);
  });
});
