/** Why a logout request was refused: stable, for logs and metrics. */
export type LogoutRefusalCode =
  | 'malformed_request'
  | 'not_registered'
  | 'malformed_token'
  | 'not_encrypted'
  | 'unexpected_encryption'
  | 'undecryptable'
  | 'critical_extension'
  | 'unexpected_algorithm'
  | 'unexpected_type'
  | 'unknown_key'
  | 'keys_unavailable'
  | 'bad_signature'
  | 'wrong_issuer'
  | 'wrong_audience'
  | 'bad_issued_at'
  | 'bad_expiry'
  | 'bad_subject'
  | 'bad_event'
  | 'nonce_present'
  | 'bad_token_id'
  | 'replayed';

/** A logout request that is refused. It is always answered with 400 and changes nothing. @see BCL-49, BCL-50 */
export class LogoutRequestRefused extends Error {
  /** The `error` of the answer. */
  readonly error = 'invalid_request';

  /**
   * @param code stable, for logs and metrics.
   * @param clause the clause that the request breaks.
   * @param description for the peer: says what is wanted, never what was in the token.
   * @param detail for the log only: what was seen, shortened, never the token.
   */
  constructor(
    readonly code: LogoutRefusalCode,
    readonly clause: string,
    readonly description: string,
    readonly detail?: string,
    options?: ErrorOptions,
  ) {
    super(detail ? `${clause}: ${description} (${detail})` : `${clause}: ${description}`, options);
    this.name = 'LogoutRequestRefused';
  }
}
