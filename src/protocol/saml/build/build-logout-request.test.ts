import { DOMParser } from '@xmldom/xmldom';
import { NS, REASON } from '../terms.js';
import { buildLogoutRequest } from './build-logout-request.js';
import type { LogoutRequestContent } from './build-logout-request.js';

const content: LogoutRequestContent = {
  id: '_0123456789abcdef0123456789abcdef01234567',
  issuer: 'https://idp.example/metadata?a=1&b=2',
  destination: 'https://sp.example/slo?a=1&b=2',
  issueInstant: new Date('2026-11-25T06:00:00.042Z'),
  notOnOrAfter: new Date('2026-11-25T07:05:00+01:00'),
  reason: REASON.user,
  nameId: { value: 'alice' },
  sessionIndexes: ['_s1', '_s2'],
};
const rootOf = (change: Partial<LogoutRequestContent> = {}): Element =>
  new DOMParser().parseFromString(buildLogoutRequest({ ...content, ...change }), 'text/xml').documentElement;
const childrenOf = (element: Element): Element[] => Array.from(element.childNodes) as Element[];
const attributesOf = (element: Element) =>
  Object.fromEntries(Array.from(element.attributes, ({ name, value }) => [name, value]).filter(([name]) => !name!.startsWith('xmlns')));

describe('buildLogoutRequest', () => {
  it('SLO-1 has ID, Version and IssueInstant, and its children in the order of the schema', () => {
    const root = rootOf({ asynchronous: true });
    expect([root.namespaceURI, root.localName]).toEqual([NS.samlp, 'LogoutRequest']);
    expect(attributesOf(root)).toEqual({
      ID: content.id,
      Version: '2.0',
      IssueInstant: '2026-11-25T06:00:00.042Z',
      Destination: content.destination,
      NotOnOrAfter: '2026-11-25T06:05:00.000Z',
      Reason: 'urn:oasis:names:tc:SAML:2.0:logout:user',
    });
    expect(childrenOf(root).map((child) => `{${child.namespaceURI}}${child.localName}`)).toEqual([
      `{${NS.saml}}Issuer`,
      `{${NS.samlp}}Extensions`,
      `{${NS.saml}}NameID`,
      `{${NS.samlp}}SessionIndex`,
      `{${NS.samlp}}SessionIndex`,
    ]);
  });

  it('SLO-3, SLO-5 writes times in UTC with milliseconds', () => {
    for (const name of ['IssueInstant', 'NotOnOrAfter'])
      expect(rootOf().getAttribute(name)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('SLO-4 has the entityID as Issuer, without a Format', () => {
    const [issuer] = childrenOf(rootOf());
    expect(issuer!.textContent).toBe(content.issuer);
    expect(attributesOf(issuer!)).toEqual({});
  });

  it.each([
    [{ value: 'alice' }, {}],
    [{ value: ' Al\u00efce\n', format: '' }, { Format: '' }],
    [
      { value: 'x', format: 'urn:f', nameQualifier: 'https://idp.example?a&b', spNameQualifier: 'sp "1"', spProvidedId: '<7>' },
      { Format: 'urn:f', NameQualifier: 'https://idp.example?a&b', SPNameQualifier: 'sp "1"', SPProvidedID: '<7>' },
    ],
  ])('SLO-7 has the NameID %j verbatim, with the attributes that it had and no others', (nameId, attributes) => {
    const written = childrenOf(rootOf({ nameId }))[1]!;
    expect(written.localName).toBe('NameID');
    expect(written.textContent).toBe(nameId.value);
    expect(attributesOf(written)).toEqual(attributes);
  });

  it('SLO-8 names all SessionIndexes in their order, or none at all', () => {
    const indexes = (root: Element) => Array.from(root.getElementsByTagNameNS(NS.samlp, 'SessionIndex'), (one) => one.textContent);
    expect(indexes(rootOf({ sessionIndexes: ['b', 'a<', 'c'] }))).toEqual(['b', 'a<', 'c']);
    expect(indexes(rootOf({ sessionIndexes: [] }))).toEqual([]);
  });

  it('leaves out what it is not given', () => {
    const root = rootOf({ reason: undefined, destination: undefined, sessionIndexes: [] });
    expect(Object.keys(attributesOf(root)).sort()).toEqual(['ID', 'IssueInstant', 'NotOnOrAfter', 'Version']);
    expect(childrenOf(root).map((child) => child.localName)).toEqual(['Issuer', 'NameID']);
  });

  it('ASLO-1 asks for no answer by an empty aslo:Asynchronous in the Extensions', () => {
    const extensions = childrenOf(rootOf({ asynchronous: true }))[1]!;
    const [asynchronous, ...others] = childrenOf(extensions);
    expect([asynchronous!.namespaceURI, asynchronous!.localName, asynchronous!.childNodes.length]).toEqual([NS.aslo, 'Asynchronous', 0]);
    expect(others).toEqual([]);
  });
});
