import { parseSoapMessage } from './parse-soap-message.js';

const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/';
const SAMLP = 'urn:oasis:names:tc:SAML:2.0:protocol';
const request = `<samlp:LogoutRequest xmlns:samlp="${SAMLP}"/>`;
const envelope = (body: string, header = '', namespace = SOAP) =>
  `<s:Envelope xmlns:s="${namespace}">${header}<s:Body>${body}</s:Body></s:Envelope>`;
const block = (attributes: string) => `<s:Header><x:y xmlns:x="urn:x" ${attributes}/></s:Header>`;

function fault(body: string): unknown {
  try {
    parseSoapMessage(body);
  } catch (error) {
    return error;
  }
  throw new Error('it was taken');
}

describe('SLO-57: a message in a SOAP 1.1 envelope', () => {
  it('takes it out, alone, with the namespaces that it stood in', () => {
    const body = `<?xml version="1.0"?>
<e:Envelope xmlns:e="${SOAP}" xmlns:samlp="${SAMLP}" xmlns:xs="urn:xs" xmlns="urn:d">
  <e:Header><x ID="_1"/></e:Header>
  <e:Body Id="b">
    <samlp:LogoutResponse ID="_1"><y/></samlp:LogoutResponse>
  </e:Body>
</e:Envelope>
`;
    expect(parseSoapMessage(body)).toEqual({
      binding: 'soap',
      kind: 'response',
      xml: `<samlp:LogoutResponse xmlns:e="${SOAP}" xmlns:samlp="${SAMLP}" xmlns:xs="urn:xs" ID="_1"><y xmlns="urn:d"></y></samlp:LogoutResponse>`,
      relayState: null,
      querySignature: null,
    });
    expect(parseSoapMessage(envelope(request)).kind).toBe('request');
  });

  it.each([
    ['two messages', envelope(request + request)],
    ['nothing', envelope('')],
    ['text beside it', envelope(`x${request}`)],
    ['another element', envelope('<x/>')],
    ['something behind the Body', envelope(request).replace('</s:Envelope>', '<x/></s:Envelope>')],
    ['two Headers', envelope(request, '<s:Header/><s:Header/>')],
    ['no envelope', request],
    ['no XML', 'Service unavailable'],
    ['a document type', `<!DOCTYPE x>${envelope(request)}`],
    ['a depth of 10,000', envelope('<x>'.repeat(10_000) + '</x>'.repeat(10_000))],
  ])('SLO-57, SLO-59 answers %s with a Client fault', (_, body) => {
    expect(fault(body)).toMatchObject({ name: 'SoapFault', faultCode: 'Client', description: expect.any(String) as string });
  });

  it('SLO-57 answers SOAP 1.2 with VersionMismatch', () => {
    expect(fault(envelope(request, '', 'http://www.w3.org/2003/05/soap-envelope'))).toMatchObject({
      name: 'SoapFault',
      faultCode: 'VersionMismatch',
    });
  });

  it.each(['s:mustUnderstand="1"', 's:mustUnderstand="true"', 's:mustUnderstand="1" s:actor="http://schemas.xmlsoap.org/soap/actor/next"'])(
    'SLO-59 answers a header with %s with MustUnderstand',
    (attributes) => {
      expect(fault(envelope(request, block(attributes)))).toMatchObject({ name: 'SoapFault', faultCode: 'MustUnderstand' });
    },
  );

  it.each(['', 's:mustUnderstand="0"', 's:mustUnderstand="1" s:actor="urn:somebody-else"', 'mustUnderstand="1"'])(
    'SLO-58 needs no header, and takes one with %j',
    (attributes) => {
      expect(parseSoapMessage(envelope(request, block(attributes))).kind).toBe('request');
    },
  );

  it('SLO-59 never answers a fault with a fault', () => {
    const body = envelope('<s:Fault><faultcode>s:Server</faultcode><faultstring>no\nway</faultstring></s:Fault>');
    expect(fault(body)).toMatchObject({
      name: 'SamlMessageRefused',
      code: 'malformed',
      description: 'a SOAP fault came: "s:Server", "no way"',
    });
  });
});
