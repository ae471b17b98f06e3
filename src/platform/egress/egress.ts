/** What the one door out answers: a response, or why there is none. Never throws for what a peer or an address does. */
export type EgressResult =
  | { kind: 'response'; status: number; headers: Record<string, string>; body: string; truncated: boolean; durationMs: number }
  /** The address is not allowed; no socket was opened. */
  | { kind: 'refused-address'; error: string; durationMs: number }
  /** Name resolution, connection, TLS or time. `code` is stable: `dns`, `connect`, `tls`, `timeout`, `reset`, `protocol`. */
  | { kind: 'failed'; code: string; error: string; durationMs: number };

export interface EgressRequest {
  method: 'GET' | 'POST';
  url: string;
  headers?: Record<string, string>;
  body?: string;
  /** From the first packet to the last byte of the body. Milliseconds. */
  timeoutMs: number;
  /** The body is cut there. Bytes. */
  responseLimitBytes?: number;
}

/** Whether a URL may be called: the same verdict at registration and at delivery. */
export type AddressVerdict = { allowed: true; resolved: boolean } | { allowed: false; error: string };
