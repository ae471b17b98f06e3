import type { Random } from './random.js';

export type TextMutation = (text: string, random: Random) => string;

const BITS_OF_XML = [
  '<!---->',
  '<!-- x -->',
  '<?x y?>',
  '<![CDATA[x]]>',
  '<![CDATA[]]>',
  '<!DOCTYPE x>',
  '<?xml version="1.0"?>',
  '&lt;',
  '&#60;',
  '&#x3c;',
  '&amp;',
  '&e;',
  '&#0;',
  '&#13;',
  '&#x85;',
  '\u0085',
  '\u2028',
  '\u2029',
  '\ufeff',
  '\u200b',
  '\u0000',
  '\ud800',
  '\r',
  '\r\n',
  '\t',
  ' ',
  '\u00a0',
  'e\u0301',
  '<x>',
  '</x>',
  '<x/>',
  '"',
  "'",
  '>',
  '<',
  '/',
  '=',
  ']]>',
  ' xmlns=""',
  ' xmlns="urn:x"',
  ' xmlns:saml="urn:x"',
  ' xmlns:samlp="urn:x"',
  ' xmlns:ds="urn:x"',
  ' xmlnsx="y"',
  ' ID="_request-1"',
  ' Id="_request-1"',
  ' xml:id="_request-1"',
  ' xml:space="preserve"',
  ' xml:lang="en"',
  ' xsi:type="x"',
  '_request-1',
  'urn:oasis:names:tc:SAML:2.0:assertion',
  '</saml:NameID>',
  '<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">admin@victim.example</saml:NameID>',
  '<samlp:SessionIndex>x</samlp:SessionIndex>',
  '<samlp:Extensions>',
  '</samlp:Extensions>',
  '<ds:Object>',
  '</ds:Object>',
];
const TAG = /<[^<>]*>/g;
const ATTRIBUTE = /\s[\w:]+="[^"]*"/g;
const ELEMENT = /<([\w:]+)(?:\s[^<>]*)?>[^<]*<\/\1>/g;

/** Changes that know nothing of what a text means, and some that know it is XML. */
export const TEXT_MUTATIONS: readonly TextMutation[] = [
  (text, random) => splice(text, random.below(text.length), 1, String.fromCharCode(random.below(128))),
  (text, random) =>
    splice(text, random.below(text.length), 1, String.fromCharCode(text.charCodeAt(random.below(text.length)) ^ (1 << random.below(8)))),
  (text, random) => splice(text, random.below(text.length), 1 + random.below(20), ''),
  (text, random) => splice(text, random.below(text.length), 0, random.of(BITS_OF_XML)),
  (text, random) => splice(text, random.below(text.length), 0, random.of(BITS_OF_XML)),
  (text, random) => text.slice(0, random.below(text.length)),
  (text, random) => text.slice(random.below(Math.min(text.length, 100))),
  (text, random) => text.repeat(1 + random.below(3)),
  (text, random) => splice(text, random.below(text.length), 0, String.fromCodePoint(1 + random.below(0xd7ff))),
  (text, random) => atMatch(text, TAG, random, (tag) => tag + tag),
  (text, random) => atMatch(text, TAG, random, () => ''),
  (text, random) => move(text, TAG, random),
  (text, random) => move(text, ATTRIBUTE, random),
  (text, random) => move(text, ELEMENT, random),
  (text, random) => atMatch(text, ATTRIBUTE, random, (attribute) => attribute + attribute),
  (text, random) => atMatch(text, ATTRIBUTE, random, (attribute) => attribute.replace(/"([^"]*)"/, "'$1'")),
  (text, random) => atMatch(text, ATTRIBUTE, random, () => random.of(BITS_OF_XML)),
  (text, random) => atMatch(text, TAG, random, (tag) => tag.replace(/>$/, `${random.of(BITS_OF_XML)}>`)),
  (text, random) => atMatch(text, TAG, random, (tag) => tag.replace(/(\/?>)$/, () => `${random.of([' ', '\n', '\t', '\r'])}$1`)),
  (text, random) =>
    atMatch(text, ELEMENT, random, (element) => element.replace(/>([^<]*)</, (_, inner: string) => `>${inner}${random.of(BITS_OF_XML)}<`)),
  (text, random) =>
    atMatch(text, ELEMENT, random, (element) => element.replace(/>([^<]*)</, (_, inner: string) => `>${cut(inner, random)}<`)),
  (text, random) => atMatch(text, ELEMENT, random, (element) => `<!--${element}-->`),
  (text, random) => atMatch(text, ELEMENT, random, (element) => `<x:x xmlns:x="urn:x">${element}</x:x>`),
  (text, random) => atMatch(text, />[^<]+</g, random, (inner) => `>${encoded(inner.slice(1, -1), random)}<`),
  (text, random) => atMatch(text, /\b[\w]+:/g, random, () => random.of(['saml:', 'samlp:', 'ds:', 'x:', 'xml:', 'xmlns:', ''])),
];

export function splice(text: string, at: number, length: number, more: string): string {
  return text.slice(0, at) + more + text.slice(at + length);
}

function atMatch(text: string, pattern: RegExp, random: Random, change: (match: string) => string): string {
  const matches = Array.from(text.matchAll(pattern));
  if (matches.length === 0) return text;
  const match = random.of(matches);
  return splice(text, match.index, match[0].length, change(match[0]));
}

function move(text: string, pattern: RegExp, random: Random): string {
  const matches = Array.from(text.matchAll(pattern));
  if (matches.length === 0) return text;
  const match = random.of(matches);
  const rest = random.next() < 0.5 ? text : splice(text, match.index, match[0].length, '');
  const places = Array.from(rest.matchAll(pattern)).map((one) => one.index);
  return splice(rest, places.length > 0 ? random.of(places) : 0, 0, match[0]);
}

function cut(text: string, random: Random): string {
  const at = random.below(text.length + 1);
  return text.slice(0, at) + random.of(BITS_OF_XML) + text.slice(at);
}

/** The same text, a character of it by number. */
function encoded(text: string, random: Random): string {
  const characters = Array.from(text);
  const at = random.below(characters.length);
  const code = characters[at]!.codePointAt(0)!;
  characters[at] = random.of([`&#${code};`, `&#x${code.toString(16)};`, `&#x${code.toString(16).toUpperCase()};`, `&#0${code};`]);
  return characters.join('');
}
