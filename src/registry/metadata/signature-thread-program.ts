import { parentPort, workerData } from 'node:worker_threads';
import { MetadataRefused, verifyMetadataSignature } from '#protocol/saml';
import type { MetadataTrust } from '#protocol/saml';

/** What comes back over the thread's border, where classes do not survive. */
export type Verdict =
  | { kind: 'verified'; xml: string }
  | { kind: 'refused'; field: MetadataRefused['field']; clause: string; rule: string; seen: string | undefined }
  | { kind: 'failed'; message: string };

function judge({ xml, trust }: { xml: string; trust: MetadataTrust }): Verdict {
  try {
    return { kind: 'verified', xml: verifyMetadataSignature(xml, trust) };
  } catch (error) {
    if (!(error instanceof MetadataRefused)) return { kind: 'failed', message: String(error) };
    const { field, clause, rule, seen } = error;
    return { kind: 'refused', field, clause, rule, seen };
  }
}

parentPort!.postMessage(judge(workerData as { xml: string; trust: MetadataTrust }));
