/**
 * What is known of a peer or a person cannot be put into a message: a NameID that XML cannot carry, an encryption key that must not be used.
 * Not a fault of ours: a channel reports it as `unusable`.
 */
export class UnbuildableMessage extends Error {
  /** @param description the thing and what is wrong with it; no NameID. */
  constructor(readonly description: string) {
    super(description);
    this.name = 'UnbuildableMessage';
  }
}
