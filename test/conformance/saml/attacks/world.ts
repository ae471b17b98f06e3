import { createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of the checkout: Jest and plain Node agree on it. */
export const FOLDER = join(process.cwd(), 'test', 'conformance', 'saml', 'attacks');

export interface KeyPair {
  key: KeyObject;
  /** PEM. */
  certificate: string;
  /** When it is there: what was signed with the key, without the signature. */
  signedTexts?: Set<string>;
}

/** Who writes to whom, and when: what the documents are made for. */
export interface World {
  now: Date;
  /** The registered peer. */
  issuer: string;
  peer: KeyPair;
  /** Another registered entity, with a key of its own. */
  otherIssuer: string;
  stranger: KeyPair;
  /** RSA of 1024 bits. */
  weak: KeyPair;
  /** Ours, for EncryptedIDs. */
  ours: KeyPair;
  /** Our URL at which requests arrive. */
  destination: string;
  /** That of another identity provider of ours. */
  otherDestination: string;
  /** With an accented letter in its value, that has two spellings; with no other characters than an attribute may have as they are. */
  nameId: { value: string; format: string; spNameQualifier: string };
  sessionIndex: string;
  /** The ID of our request that a response answers. */
  inResponseTo: string;
  /** Whom an attacker wants to log out. */
  victim: string;
}

export function keyPair(name: string): KeyPair {
  const read = (kind: string) => readFileSync(join(FOLDER, 'keys', `${name}.${kind}.pem`), 'utf8');
  return { key: createPrivateKey(read('key')), certificate: read('cert') };
}

/** That of the documents in this folder. */
export const WORLD: World = {
  now: new Date('2026-03-04T05:06:07Z'),
  issuer: 'https://sp.example.org/saml',
  peer: keyPair('peer'),
  otherIssuer: 'https://other.example.org/saml',
  stranger: keyPair('stranger'),
  weak: keyPair('weak'),
  ours: keyPair('ours'),
  destination: 'https://logout.example.com/saml/slo/main',
  otherDestination: 'https://logout.example.com/saml/slo/second',
  nameId: {
    value: 'Zo\u00eb-7f3a',
    format: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
    spNameQualifier: 'https://sp.example.org/saml',
  },
  sessionIndex: '_session-1',
  inResponseTo: '_our-request-1',
  victim: 'admin@victim.example',
};
