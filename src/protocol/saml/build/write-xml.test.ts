import { DOMParser } from '@xmldom/xmldom';
import { UnbuildableMessage } from './unbuildable-message.js';
import { writeElement, writeText } from './write-xml.js';

const HOSTILE = [
  '<saml:NameID>mallory</saml:NameID>',
  `" onload='x' b="`,
  ']]>',
  '<!--',
  '&amp;&#65;',
  ' two  spaces ',
  'tab\tline\ncarriage\rboth\r\nend',
  '\u0085\u2028\uFFFD',
  'e\u0301 \u{1F6AA} \u{10FFFF}',
];

describe('writeElement', () => {
  it.each(HOSTILE)('SLO-7 a parser reads %j back as it was, in text and in an attribute', (value) => {
    const xml = writeElement('a', { b: value, c: undefined }, writeText(value));
    const root = new DOMParser().parseFromString(xml, 'text/xml').documentElement;
    expect(root.textContent).toBe(value);
    expect(root.getAttribute('b')).toBe(value);
    expect(root.attributes).toHaveLength(1);
  });

  it.each([0x0, 0x1, 0x8, 0xb, 0xc, 0xe, 0x1b, 0x1f, 0xd800, 0xdfff, 0xfffe, 0xffff])('refuses U+%s, which no XML can carry', (code) => {
    const value = `a${String.fromCharCode(code)}b`;
    for (const write of [() => writeText(value), () => writeElement('a', { b: value })]) expect(write).toThrow(UnbuildableMessage);
  });

  it('names the character and not the value', () => {
    expect(() => writeText('alice\u0000')).toThrow('a value has the character U+0000, which XML cannot carry');
  });
});
