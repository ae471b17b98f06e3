import { ExeuntError } from '#domain';
import type { Egress } from '#platform/egress';

/** A document as its server sent it; null: it is still the one with that ETag. */
export type FetchedMetadata = { xml: string; etag: string | null } | null;

/** From the first packet to the last byte: an aggregate is large. Milliseconds. */
const WITHIN_MS = 30_000;
const ACCEPT = 'application/samlmetadata+xml, application/xml;q=0.9, text/xml;q=0.8, */*;q=0.1';
const LONGEST_ETAG = 256;

/**
 * Fetches metadata.
 * @param etag of the document that is known; then only a newer one is sent.
 * @param limitBytes longest document.
 * @throws ExeuntError `refused_address`, `bad_upstream`; the fault names `field`
 */
export async function fetchMetadata(
  egress: Pick<Egress, 'send'>,
  request: { url: string; field: string; etag: string | null; limitBytes: number },
): Promise<FetchedMetadata> {
  const { url, field, etag, limitBytes } = request;
  const headers = { accept: ACCEPT, ...(etag === null ? {} : { 'if-none-match': etag }) };
  const answer = await egress.send({ method: 'GET', url, headers, timeoutMs: WITHIN_MS, responseLimitBytes: limitBytes });
  const fail = (code: 'refused_address' | 'bad_upstream', rule: string): never => {
    throw new ExeuntError(code, `The metadata cannot be fetched: ${rule}`, [{ field, seen: url.slice(0, 100), rule }]);
  };
  if (answer.kind === 'refused-address') return fail('refused_address', answer.error);
  if (answer.kind === 'failed') return fail('bad_upstream', `must answer a GET; ${answer.code}: ${answer.error}`);
  if (answer.status === 304 && etag !== null) return null;
  if (answer.status !== 200) return fail('bad_upstream', `must answer 200, answered ${answer.status}${redirectOf(answer)}`);
  if (answer.truncated) return fail('bad_upstream', `must be at most ${limitBytes} bytes long (saml.metadataLimitBytes)`);
  if (answer.headers['content-encoding'] !== undefined) return fail('bad_upstream', 'must not be compressed, for that was not asked for');
  const tag = answer.headers['etag'];
  return { xml: answer.body, etag: tag !== undefined && tag.length <= LONGEST_ETAG ? tag : null };
}

function redirectOf({ status, headers }: { status: number; headers: Record<string, string> }): string {
  const location = headers['location'];
  return status >= 300 && status < 400 && location !== undefined ? ` to ${location.slice(0, 200)}; redirects are not followed` : '';
}
