/** Why a message is refused: a closed set, for logs, metrics and tests. */
export type RefusalCode =
  | 'malformed'
  | 'too_large'
  | 'forbidden_xml'
  | 'schema'
  | 'unsupported_binding'
  | 'unknown_issuer'
  | 'wrong_destination'
  | 'unsigned'
  | 'bad_signature'
  | 'forbidden_algorithm'
  | 'wrong_version'
  | 'expired'
  | 'not_yet_valid'
  | 'replayed'
  | 'not_outstanding'
  | 'undecryptable'
  | 'not_registered';

/** A SAML message that is not believed. What a peer does is data: this says which rule it broke, and nothing of ours. */
export class SamlMessageRefused extends Error {
  /**
   * @param clause the row of the checklist, e.g. `SLO-82`.
   * @param description for the peer's operator: the thing, the value seen, the value wanted; no secret, no NameID.
   * @param detail for our log alone.
   */
  constructor(
    readonly code: RefusalCode,
    readonly clause: string,
    readonly description: string,
    readonly detail?: string,
  ) {
    super(`${clause}: ${description}`);
    this.name = 'SamlMessageRefused';
  }
}
