import { setTimeout as delay } from 'node:timers/promises';

/** The API as its callers see it: away at times. */
export class Api {
  /** Requests that had to be sent again. */
  retries = 0;
  private readonly left = new AbortController();

  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  /** Sends the very same request until it is answered. @throws Error on an answer that says that the request itself is at fault. */
  async call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    for (;;) {
      const response = await this.once(method, path, body);
      if (response?.ok) {
        // The answer may be cut in the middle.
        const answer = await response.json().catch(() => undefined);
        if (answer !== undefined) return answer as Answer;
      } else if (response && response.status < 500 && response.status !== 429) {
        throw new Error(`${method} ${path} was answered with ${response.status}: ${await response.text()}`);
      }
      this.left.signal.throwIfAborted();
      this.retries++;
      await delay(50);
    }
  }

  /** Ends what still asks. */
  leave(): void {
    this.left.abort(new Error('the caller left'));
  }

  async once(method: string, path: string, body?: unknown): Promise<Response | null> {
    return fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.any([AbortSignal.timeout(20_000), this.left.signal]),
    }).catch(() => null);
  }
}
