import { createHash } from 'node:crypto';
import { XMLSerializer } from '@xmldom/xmldom';
import type { SamlSigner } from '../types.js';
import { rootOf } from './metadata-tree.js';
import { signMetadata } from './sign-metadata.js';

/**
 * The text of a document that is published: with a new ID, signed if there is something to sign with. The ID is made of the content, so
 * that all processes publish the same text as long as nothing changes.
 */
export function finishDocument(xml: string, signer: SamlSigner | undefined): string {
  const entity = rootOf(xml);
  entity.removeAttribute('ID');
  const content = new XMLSerializer().serializeToString(entity);
  // An xs:ID begins with no digit. @see SLO-2
  entity.setAttribute('ID', `_${createHash('sha256').update(content).digest('hex')}`);
  const named = new XMLSerializer().serializeToString(entity);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${signer ? signMetadata(named, signer) : named}\n`;
}
