import { SamlMessageRefused } from '../../saml-message-refused.js';
import { attributeOf, isNamed, parseStrictXml } from '../../xml/index.js';
import type { LogoutMessageCheck } from '../message-in-hand.js';
import { allowedSignatures } from '../../signature/algorithms.js';
import { signedOctetsOf } from '../signed-octets.js';
import { isSignedByOneOf, keysFor } from '../../signature/signing-keys.js';

/**
 * Verifies the signature with the keys of the sender's metadata, each of them. From here on the message is what was signed: the octets that
 * the digest is of, parsed anew; what came is put away. @see SLO-43, SLO-44, SLO-74, SLO-82, SLO-86
 */
export const theSignatureIsThatOfTheIssuer: LogoutMessageCheck = (message, { certificates, allowSha1 }) => {
  const { incoming, root } = message;
  const { querySignature } = incoming;
  if (querySignature) {
    const scheme = allowedSignatures(allowSha1)[querySignature.sigAlg]!;
    const octets = Buffer.from(querySignature.signedOctets, 'utf8');
    if (isSignedByOneOf(keysFor(scheme, certificates), scheme, octets, querySignature.signature)) return;
    throw refusal("the signature of the query is not that of a key in the sender's metadata");
  }
  const signed = parseStrictXml(signedOctetsOf(root, certificates, allowSha1)).documentElement;
  const isTheMessage = isNamed(signed, root.namespaceURI!, root.localName) && attributeOf(signed, 'ID') === attributeOf(root, 'ID');
  if (!isTheMessage) throw refusal('what was signed is not the message');
  message.root = signed;
};

function refusal(description: string): SamlMessageRefused {
  return new SamlMessageRefused('bad_signature', 'SLO-82', description);
}
