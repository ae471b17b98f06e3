import type { KeyObject } from 'node:crypto';
import type { CertificateFacts } from './certificate-facts.js';
import { asInvalid } from './key-refused.js';
import type { SamlKeyMaterial, SamlKeyUse } from './key-material.js';
import { readPemBundle } from './read-pem-bundle.js';
import { readPkcs12 } from './read-pkcs12.js';

/** A certificate and its private key as the operator gives them: exactly one of `pem` and `pkcs12`. */
export interface SamlKeyImport {
  use?: SamlKeyUse | undefined;
  /** Certificate and private key one after the other, the key not encrypted; further certificates may be there. */
  pem?: string | undefined;
  /** A PKCS#12 file (.p12, .pfx) in base64. */
  pkcs12?: string | undefined;
  password?: string | undefined;
}

const RSA_BITS = { least: 2048, most: 8192 };

/**
 * The certificate and key that the operator brings, usually the identity provider's own, so that service providers know it already.
 * @throws ExeuntError `validation`: it cannot be read, the password is wrong, no certificate fits the key, it is expired, or of a kind no
 *   algorithm here uses. Never quotes what was given.
 */
export function importSamlKey(given: SamlKeyImport, now: Date): SamlKeyMaterial {
  const field = given.pkcs12 === undefined ? '/pem' : '/pkcs12';
  const use = given.use ?? 'signing';
  const bundle = given.pkcs12 === undefined ? readPemBundle(given.pem ?? '') : readPkcs12(given.pkcs12, given.password ?? '');
  judgeKind(bundle.privateKey, use, field);
  const leaf = bundle.certificates.find((one) => one.belongsTo(bundle.privateKey));
  if (!leaf) throw asInvalid(field, `none of its ${bundle.certificates.length} certificates belongs to its private key`);
  judgeTimes(leaf, now, field);
  return { ...leaf, use, privateKey: bundle.privateKey };
}

function judgeKind(key: KeyObject, use: SamlKeyUse, field: string): void {
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType === 'rsa') {
    const bits = details?.modulusLength ?? 0;
    if (bits < RSA_BITS.least || bits > RSA_BITS.most) {
      throw asInvalid(field, `an RSA key must have ${RSA_BITS.least} to ${RSA_BITS.most} bits, this one has ${bits}`);
    }
    return;
  }
  const kind = details?.namedCurve ?? key.asymmetricKeyType ?? 'unknown';
  if (use === 'encryption') throw asInvalid(field, `a key for encryption must be RSA, this one is ${kind}`);
  if (key.asymmetricKeyType !== 'ec' || details?.namedCurve !== 'prime256v1') {
    throw asInvalid(field, `a key for signing must be RSA or EC P-256, this one is ${kind}`);
  }
}

function judgeTimes({ notBefore, notAfter }: CertificateFacts, now: Date, field: string): void {
  if (notAfter <= now) throw asInvalid(field, `its certificate is expired since ${notAfter.toISOString()}; peers may refuse what it signs`);
  if (notBefore > now) throw asInvalid(field, `its certificate is not valid before ${notBefore.toISOString()}`);
}
