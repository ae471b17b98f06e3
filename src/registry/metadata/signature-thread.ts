import { Worker } from 'node:worker_threads';
import { Injectable } from '@nestjs/common';
import { messageOf } from '#domain';
import { MetadataRefused, verifyMetadataSignature } from '#protocol/saml';
import type { MetadataTrust } from '#protocol/saml';
import { ENTRY } from './signature-thread-entry.js';
import type { Verdict } from './signature-thread-program.js';

/** What is no longer than this takes a few milliseconds: less than it takes to start a thread. Characters. */
const AT_ONCE = 128 * 1024;
/** Ten MB of ordinary metadata take 0.5 s and 300 MB; what wants more than this was made to hurt. */
const WITHIN_MS = 30_000;
const MEMORY_MB = 1_024;

/**
 * Verifies signatures over large documents in a thread of their own, so that nobody else waits for it, with bounded time and memory, one
 * document at a time.
 */
@Injectable()
export class SignatureThread {
  private last: Promise<unknown> = Promise.resolve();

  /** As `verifyMetadataSignature`. @throws MetadataRefused */
  verify(xml: string, trust: MetadataTrust): Promise<string> {
    if (xml.length <= AT_ONCE) return Promise.resolve().then(() => verifyMetadataSignature(xml, trust));
    const run = this.last.then(() => verifyInThread(xml, trust));
    this.last = run.catch(() => {});
    return run;
  }
}

async function verifyInThread(xml: string, trust: MetadataTrust): Promise<string> {
  const verdict = await verdictOf(xml, trust);
  switch (verdict.kind) {
    case 'verified':
      return verdict.xml;
    case 'refused':
      throw new MetadataRefused(verdict.field, verdict.clause, verdict.rule, verdict.seen);
    case 'failed':
      throw new Error(`the signature of metadata could not be judged: ${verdict.message}`);
  }
}

function verdictOf(xml: string, trust: MetadataTrust): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(ENTRY.url, {
      workerData: { xml, trust },
      execArgv: ENTRY.execArgv,
      // Nothing of what this process knows is needed there.
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
    });
    const timer = setTimeout(() => {
      refuse(`be verified within ${WITHIN_MS / 1_000} seconds`);
      void worker.terminate();
    }, WITHIN_MS);
    const refuse = (what: string) => reject(new MetadataRefused('document', 'SLO-75', `must be such that its signature can ${what}`));
    worker.once('message', resolve);
    worker.once('error', (error) => {
      if ((error as { code?: string }).code === 'ERR_WORKER_OUT_OF_MEMORY') refuse(`be verified within ${MEMORY_MB} MiB of memory`);
      else reject(new Error(`the thread that verifies metadata failed: ${messageOf(error)}`, { cause: error }));
    });
    worker.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`the thread that verifies metadata ended with ${code} and no verdict`));
    });
  });
}
