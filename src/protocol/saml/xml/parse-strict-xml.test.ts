import fc from 'fast-check';
import type { SamlMessageRefused } from '../saml-message-refused.js';
import { parseStrictXml } from './parse-strict-xml.js';
import { standAlone } from './canonical-xml.js';
import { elementsIn, onlyText } from './read-element.js';
import type { XmlLimits } from './xml-limits.js';

function refusalOf(xml: string, limits?: Partial<XmlLimits>): SamlMessageRefused {
  try {
    parseStrictXml(xml, limits);
  } catch (error) {
    return error as SamlMessageRefused;
  }
  throw new Error('it was taken');
}
const textOf = (xml: string, limits?: Partial<XmlLimits>) => onlyText(parseStrictXml(xml, limits).documentElement);

describe('SLOX-11 document types', () => {
  it.each([
    '<!DOCTYPE a><a/>',
    '<!doctype a><a/>',
    '<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>',
    '<a><!ENTITY e "x"></a>',
  ])('are refused before parsing: %s', (xml) => {
    expect(refusalOf(xml)).toMatchObject({ code: 'forbidden_xml', clause: 'SLOX-11' });
  });

  it('are refused though the text around them is no XML', () => {
    expect(refusalOf('<<<!DOCTYPE')).toMatchObject({ code: 'forbidden_xml', clause: 'SLOX-11' });
  });
});

describe('SLOX-12 comments, processing instructions and CDATA', () => {
  it.each([
    '<a>b<!-- -->c</a>',
    '<!-- --><a/>',
    '<a/><!-- -->',
    '<a><?b c?></a>',
    '<?b c?><a/>',
    '<a><![CDATA[b]]></a>',
    '<a><?xml version="1.0"?></a>',
  ])('are refused anywhere: %s', (xml) => {
    expect(refusalOf(xml)).toMatchObject({ code: 'forbidden_xml', clause: 'SLOX-12' });
  });

  it('comments are taken out where they are allowed, and the text around them is one text', () => {
    expect(textOf('<!-- x --><a>b<!-- x -->c<!----></a><!-- x -->', { comments: 'drop' })).toBe('bc');
  });

  it.each(['<a><?b c?></a>', '<a><![CDATA[b]]></a>', '<!DOCTYPE a><a/>', '<a><!-- --- --></a>'])(
    'the others are refused even then: %s',
    (xml) => {
      expect(() => parseStrictXml(xml, { comments: 'drop' })).toThrow();
    },
  );
});

describe('SLOX-13 one reading', () => {
  it.each([
    '',
    ' ',
    'a',
    '<a>',
    '<a></b>',
    '<a></A>',
    '<a/><b/>',
    '<a/>b',
    'b<a/>',
    '<a b=c/>',
    '<a b/>',
    '<a b="1"c="2"/>',
    '<a b="1" b="2"/>',
    '<a b="<"/>',
    '<a>&b;</a>',
    '<a>&</a>',
    '<a>]]></a>',
    '<a>\u0001</a>',
    '<a>&#1;</a>',
    '<a>&#xD800;</a>',
    '<a>\ufffe</a>',
    '<b:a/>',
    '<a b:c="d"/>',
    '<a xmlns:b=""/>',
    '<a xmlns:xml="urn:b"/>',
    '<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="2"/>',
    '<constructor:a/>',
    '<a hasOwnProperty="1" b="2"/>',
    '</a>',
    '<a></a >x',
    '<a></a x="y">',
    '<a\u0080/>',
    '<1/>',
    ' <?xml version="1.0"?><a/>',
  ])('refuses %j', (xml) => {
    // What xmldom cannot hold, though it is well-formed, is refused as well.
    expect(['malformed', 'forbidden_xml']).toContain(refusalOf(xml).code);
  });

  it('refuses what canonicalisers leave out of what is signed', () => {
    expect(refusalOf('<a xmlnsb="c"/>')).toMatchObject({ code: 'forbidden_xml', clause: 'SLOX-13' });
  });

  it.each(['\u0085', '\u2028', '&#x85;', '&#8232;'])('refuses %j, which some take for a line end', (character) => {
    expect(refusalOf(`<a>b${character}c</a>`)).toMatchObject({ code: 'forbidden_xml', clause: 'SLOX-13' });
    expect(refusalOf(`<a b="c${character}d"/>`)).toMatchObject({ code: 'forbidden_xml', clause: 'SLOX-13' });
  });

  it('takes line ends, numbers and entities of XML as they are meant', () => {
    expect(textOf('<a>1\r\n2\r3\n4&#13;5&lt;&amp;&gt;&quot;&apos;&#x1F600;</a>')).toBe('1\n2\n3\n4\r5<&>"\'\u{1f600}');
    expect(parseStrictXml('<a b="1\r\n2\t3&#10;4"/>').documentElement.getAttribute('b')).toBe('1 2 3\n4');
  });

  it('reads every text and attribute as it was written', () => {
    const escape = (text: string) => text.replace(/[&<>"\r\n\t]/g, (character) => `&#${character.charCodeAt(0)};`);
    const characters = fc
      .string({ unit: 'binary' })
      .filter((text) => !/[^\t\n\r\u0020-\u{10ffff}]|[\u0085\u2028\ufffe\uffff]|\p{Surrogate}/u.test(text));
    fc.assert(
      fc.property(characters, characters, (text, value) => {
        const root = parseStrictXml(`<a b="${escape(value)}">${escape(text)}</a>`).documentElement;
        expect(onlyText(root)).toBe(text);
        expect(root.getAttribute('b')).toBe(value);
      }),
    );
  });
});

describe('SLOX-17 limits and encodings', () => {
  it.each([
    ['depth', '<a>'.repeat(10_000) + '</a>'.repeat(10_000)],
    ['depth of what is never closed', '<a>'.repeat(50_000)],
    ['elements', `<a>${'<b/>'.repeat(1_000)}</a>`],
    ['attributes of one element', `<a ${Array.from({ length: 101 }, (_, n) => `b${n}=""`).join(' ')}/>`],
    ['attributes', `<a>${'<b c="" d="" e="" f=""/>'.repeat(999)}</a>`],
    ['names', `<a>${Array.from({ length: 100 }, (_, n) => `<b${n}/>`).join('')}</a>`],
    ['bytes', `<a>${'b'.repeat(262_144)}</a>`],
    ['bytes and not characters', `<a>${'\u00e9'.repeat(131_073)}</a>`],
  ])('refuses too many %s', (_, xml) => {
    expect(refusalOf(xml)).toMatchObject({ code: 'too_large', clause: 'SLOX-17' });
  });

  it('takes what is just within', () => {
    expect(parseStrictXml('<a>'.repeat(100) + '</a>'.repeat(100)).documentElement.tagName).toBe('a');
    expect(refusalOf('<a>'.repeat(101) + '</a>'.repeat(101)).code).toBe('too_large');
    expect(textOf(`<a>${'b'.repeat(262_137)}</a>`)).toHaveLength(262_137);
  });

  it('has limits that a caller may move', () => {
    expect(parseStrictXml(`<a>${'b'.repeat(300_000)}</a>`, { bytes: 1_000_000 }).documentElement.tagName).toBe('a');
    expect(refusalOf('<a><b/></a>', { depth: 1 }).code).toBe('too_large');
  });

  it.each(['UTF-16', 'utf-7', 'ISO-8859-1', 'US-ASCII', ''])('refuses the declared encoding %j', (encoding) => {
    expect(refusalOf(`<?xml version="1.0" encoding="${encoding}"?><a/>`)).toMatchObject({ code: 'forbidden_xml', clause: 'SLOX-17' });
  });

  it.each(['<?xml version="1.1"?><a/>', '<?xml encoding="UTF-8"?><a/>', '<a>\u0000</a>', '<a>\ud800</a>'])('refuses %j', (xml) => {
    expect(refusalOf(xml)).toMatchObject({ code: 'forbidden_xml', clause: 'SLOX-17' });
  });

  it.each([
    '<?xml version="1.0"?><a/>',
    "<?xml version='1.0' encoding='utf-8' standalone='yes'?>\r\n<a/>\r\n",
    '\ufeff<?xml version="1.0"?><a/>',
    '<a/>',
  ])('takes %j', (xml) => {
    expect(parseStrictXml(xml).documentElement.tagName).toBe('a');
  });

  it('names the place', () => {
    expect(refusalOf('<a>\n  <b></c>\n</a>').description).toMatch(/line 2, column \d/);
  });
});

describe('SLO-86 an element taken out of a document', () => {
  it('keeps the namespaces that it stood in, those of values too', () => {
    const root = parseStrictXml(
      '<e xmlns="urn:e" xmlns:p="urn:p" xmlns:q="urn:q"><p:a b="q:c"><d/><q:f xmlns:q="urn:r"/></p:a></e>',
    ).documentElement;
    const [inner] = elementsIn(root);
    expect(standAlone(inner!)).toBe('<p:a xmlns:p="urn:p" xmlns:q="urn:q" b="q:c"><d xmlns="urn:e"></d><q:f xmlns:q="urn:r"></q:f></p:a>');
  });
});
