import { SamlMessageRefused } from '../../saml-message-refused.js';
import { attributeOf } from '../../xml/index.js';
import type { LogoutMessageCheck } from '../message-in-hand.js';
import { quoted } from '../schema-refusal.js';
import { allowedDigests, allowedSignatures, ENVELOPED, EXCLUSIVE_C14N } from '../../signature/algorithms.js';
import { signaturePartsOf } from '../signature-parts.js';

/** By exact URI, and before any key is touched. @see SLO-83, SLO-84 */
export const theAlgorithmsAreAllowed: LogoutMessageCheck = ({ root, incoming: { querySignature } }, { allowSha1 }) => {
  const signatures = Object.keys(allowedSignatures(allowSha1));
  if (querySignature) {
    judge('SigAlg', querySignature.sigAlg, signatures);
    return;
  }
  const { canonicalizationMethod, signatureMethod, digestMethod, transforms } = signaturePartsOf(root)!;
  judge('CanonicalizationMethod', attributeOf(canonicalizationMethod, 'Algorithm'), [EXCLUSIVE_C14N]);
  judge('SignatureMethod', attributeOf(signatureMethod, 'Algorithm'), signatures);
  judge('the first Transform', attributeOf(transforms[0]!, 'Algorithm'), [ENVELOPED]);
  judge('the second Transform', attributeOf(transforms[1]!, 'Algorithm'), [EXCLUSIVE_C14N]);
  judge('DigestMethod', attributeOf(digestMethod, 'Algorithm'), Object.keys(allowedDigests(allowSha1)));
};

function judge(what: string, seen: string | null, allowed: readonly string[]): void {
  if (seen !== null && allowed.includes(seen)) return;
  const clause = seen?.endsWith('sha1') ? 'SLO-84' : 'SLO-83';
  const is = seen === null ? 'missing' : quoted(seen);
  throw new SamlMessageRefused('forbidden_algorithm', clause, `${what} is ${is}, wanted is ${allowed.join(' or ')}`);
}
