import { DOMParser } from '@xmldom/xmldom';
import { NS } from '../terms.js';
import type { SamlStatus } from '../types.js';
import { buildLogoutResponse } from './build-logout-response.js';

const SUCCESS: SamlStatus = { code: 'Success', subCode: null, message: null };
const rootOf = (change: Partial<Parameters<typeof buildLogoutResponse>[0]> = {}): Element => {
  const content = {
    id: '_r1',
    issuer: 'https://idp.example',
    destination: 'https://sp.example/slo',
    issueInstant: new Date('2026-11-25T06:00:00.042Z'),
    inResponseTo: '_q1',
    status: SUCCESS,
    ...change,
  };
  return new DOMParser().parseFromString(buildLogoutResponse(content), 'text/xml').documentElement;
};
const names = (element: Element) => Array.from(element.childNodes, (child) => (child as Element).localName);
const codes = (root: Element) => Array.from(root.getElementsByTagNameNS(NS.samlp, 'StatusCode'));

describe('buildLogoutResponse', () => {
  it('SLO-12 has ID, Version, IssueInstant, InResponseTo, Issuer and Status, in the order of the schema', () => {
    const root = rootOf();
    expect([root.namespaceURI, root.localName, ...names(root)]).toEqual([NS.samlp, 'LogoutResponse', 'Issuer', 'Status']);
    expect(root.getAttribute('ID')).toBe('_r1');
    expect(root.getAttribute('Version')).toBe('2.0');
    expect(root.getAttribute('IssueInstant')).toBe('2026-11-25T06:00:00.042Z');
    expect(root.getAttribute('InResponseTo')).toBe('_q1');
    expect(root.getAttribute('Destination')).toBe('https://sp.example/slo');
  });

  it('SLO-13 has no InResponseTo where the ID of the request could not be read', () => {
    expect(rootOf({ inResponseTo: null }).hasAttribute('InResponseTo')).toBe(false);
  });

  it('SLO-14 has no Destination where none is given, and the Issuer without a Format', () => {
    const root = rootOf({ destination: undefined });
    expect(root.hasAttribute('Destination')).toBe(false);
    expect((root.firstChild as Element).hasAttribute('Format')).toBe(false);
  });

  it('SLO-16, SLO-18 has the second-level code inside the top-level one', () => {
    const [top, second, ...others] = codes(rootOf({ status: { code: 'Success', subCode: 'PartialLogout', message: null } }));
    expect(top!.getAttribute('Value')).toBe('urn:oasis:names:tc:SAML:2.0:status:Success');
    expect(second!.getAttribute('Value')).toBe('urn:oasis:names:tc:SAML:2.0:status:PartialLogout');
    expect(second!.parentNode).toBe(top);
    expect(others).toEqual([]);
  });

  it('SLO-16 has one code where there is one, and no message where there is none', () => {
    const root = rootOf();
    expect(codes(root)).toHaveLength(1);
    expect(names(root.lastChild as Element)).toEqual(['StatusCode']);
  });

  it('SLO-20 writes a code that is not one of SAML as it is, and the message behind the codes', () => {
    const root = rootOf({ status: { code: 'Requester', subCode: 'urn:example:busy', message: 'a < b' } });
    expect(codes(root)[1]!.getAttribute('Value')).toBe('urn:example:busy');
    expect(names(root.lastChild as Element)).toEqual(['StatusCode', 'StatusMessage']);
    expect(root.lastChild!.lastChild!.textContent).toBe('a < b');
  });
});
