/** What of an import is wrong: the document itself, which entity is wanted, or the certificates that it should be signed with. */
export type MetadataField = 'document' | 'entityId' | 'certificates';

/** Metadata that is not taken, and why: the thing, the value wanted, the value seen. */
export class MetadataRefused extends Error {
  /**
   * @param clause the row of the checklist, e.g. `SLO-75`.
   * @param rule what is wanted; a sentence without its subject, e.g. `must have a SPSSODescriptor`.
   * @param seen what was there instead, shortened; undefined when nothing was.
   */
  constructor(
    readonly field: MetadataField,
    readonly clause: string,
    readonly rule: string,
    seen?: unknown,
  ) {
    super(seen === undefined ? rule : `${rule}; seen: ${shown(seen)}`);
    this.name = 'MetadataRefused';
    this.seen = seen === undefined ? undefined : shown(seen);
  }

  readonly seen: string | undefined;
}

const LONGEST = 200;

function shown(seen: unknown): string {
  const text = String(seen);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}
