import { sign } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import type { SamlMessageKind } from '#protocol/saml';
import { RSA_SHA256 } from './sign.js';
import type { KeyPair } from './world.js';

export const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/';

/** @param parts what is in the envelope instead of the one message, or beside it. */
export function envelope(
  content: string,
  parts: { header?: string; namespace?: string; behind?: string; bodyAttributes?: string } = {},
): string {
  const { header = '', namespace = SOAP, behind = '', bodyAttributes = '' } = parts;
  return `<soap:Envelope xmlns:soap="${namespace}">${header}<soap:Body${bodyAttributes}>${content}</soap:Body>${behind}</soap:Envelope>`;
}

export const parameterOf = (kind: SamlMessageKind) => (kind === 'request' ? 'SAMLRequest' : 'SAMLResponse');

export interface QueryChanges {
  relayState?: string | null;
  sigAlg?: string;
  /** Of the octets that are signed. */
  sign?: (octets: string) => string;
  /** The bytes that are encoded. */
  pack?: (xml: string) => Buffer;
  /** Of the finished query. */
  tamper?: (query: string) => string;
}

/** The query of a URL, signed. */
export function query(xml: string, kind: SamlMessageKind, pair: KeyPair, changes: QueryChanges = {}): string {
  const { relayState = 'opaque-1', sigAlg = RSA_SHA256, pack = (text) => deflateRawSync(text), tamper = (text) => text } = changes;
  const encode = encodeURIComponent;
  pair.signedTexts?.add(xml);
  const parts = [`${parameterOf(kind)}=${encode(pack(xml).toString('base64'))}`];
  if (relayState !== null) parts.push(`RelayState=${encode(relayState)}`);
  parts.push(`SigAlg=${encode(sigAlg)}`);
  const octets = parts.join('&');
  const value = changes.sign?.(octets) ?? sign('sha256', Buffer.from(octets), pair.key).toString('base64');
  return tamper(`${octets}&Signature=${encode(value)}`);
}

export function form(fields: Record<string, string>): string {
  return new URLSearchParams(fields).toString();
}
