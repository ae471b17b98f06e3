import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Attack } from './attack.js';
import { form, parameterOf } from './wire.js';
import { FOLDER } from './world.js';

/** What the manifest says of a document: all of an attack but its text, which is in a file of its own. */
export type ManifestEntry = Omit<Attack, 'text'> & { file: string };

/** An attack as parts of an HTTP request: at `/saml/slo/{idp}`, or over SOAP at `/saml/slo/{idp}/soap`. */
export interface AttackOnTheWire extends Attack {
  http:
    | { method: 'GET'; query: string }
    | { method: 'POST'; contentType: 'application/x-www-form-urlencoded' | 'text/xml; charset=utf-8'; body: string };
}

/** The documents of this folder. @returns attacks, and originals with a `refusal` of null. */
export function loadCorpus(): AttackOnTheWire[] {
  const manifest = JSON.parse(readFileSync(join(FOLDER, 'manifest.json'), 'utf8')) as ManifestEntry[];
  return manifest.map(({ file, ...entry }) => onTheWire({ ...entry, text: readFileSync(join(FOLDER, 'documents', file), 'utf8') }));
}

export function onTheWire(attack: Attack): AttackOnTheWire {
  const text = expand(attack.text);
  switch (attack.wire) {
    case 'query':
      return { ...attack, http: { method: 'GET', query: text } };
    case 'envelope':
      return { ...attack, http: { method: 'POST', contentType: 'text/xml; charset=utf-8', body: text } };
    case 'form':
      return { ...attack, http: { method: 'POST', contentType: 'application/x-www-form-urlencoded', body: text } };
    case 'xml': {
      const body = form({ [parameterOf(attack.kind)]: Buffer.from(text).toString('base64'), RelayState: 'opaque-1' });
      return { ...attack, http: { method: 'POST', contentType: 'application/x-www-form-urlencoded', body } };
    }
  }
}

/** `{{1000 x a}}`: what is large and dull is not kept as such. */
function expand(text: string): string {
  return text.replace(/\{\{(\d+) x ([^{}]*)\}\}/g, (_, times: string, what: string) => what.repeat(Number(times)));
}
