import { readSoapFault } from './read-soap-fault.js';

const envelope = (content: string, namespace = 'http://schemas.xmlsoap.org/soap/envelope/') =>
  `<?xml version="1.0"?><S:Envelope xmlns:S="${namespace}"><S:Header/><S:Body>${content}</S:Body></S:Envelope>`;
const fault = (code: string) => envelope(`<S:Fault><faultcode>${code}</faultcode><faultstring>why</faultstring><detail/></S:Fault>`);

describe('readSoapFault', () => {
  it.each([
    ['S:Client', 'Client'],
    ['S:Client.Authentication', 'Client'],
    [' soap:VersionMismatch ', 'VersionMismatch'],
    ['MustUnderstand', 'MustUnderstand'],
    ['S:Server', 'Server'],
    ['S:Receiver', 'Server'],
    ['', 'Server'],
  ])('SLO-59 reads the code %j as %s', (code, faultCode) => {
    expect(readSoapFault(fault(code))).toEqual({ faultCode, description: 'why' });
  });

  it('takes a fault without text', () => {
    expect(readSoapFault(envelope('<S:Fault/>'))).toEqual({ faultCode: 'Server', description: '' });
  });

  it.each([
    ['nothing', ''],
    ['a page', '<!DOCTYPE html><html><body>Fault</body></html>'],
    ['a message', envelope('<samlp:LogoutResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"/>')],
    ['an empty envelope', '<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"/>'],
    ['a fault of SOAP 1.2', envelope('<S:Fault/>', 'http://www.w3.org/2003/05/soap-envelope')],
    ['a fault somewhere else', '<Fault/>'],
  ])('is null for %s', (_, body) => {
    expect(readSoapFault(body)).toBeNull();
  });
});
