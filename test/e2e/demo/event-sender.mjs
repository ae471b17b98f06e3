import { setTimeout as sleep } from 'node:timers/promises';

const GIVE_UP_AFTER_MS = 15_000;
const FIRST_PAUSE_MS = 200;

/**
 * Posts session events to Exeunt with the IdP's API key. An event keeps its `id` over all tries: Exeunt answers `duplicate`
 * to one that it has, so sending again is always safe.
 */
export class EventSender {
  #url;
  #apiKey;

  /** @param {{ baseUrl: string, apiKey: string }} exeunt */
  constructor({ baseUrl, apiKey }) {
    this.#url = `${baseUrl}/v1/events`;
    this.#apiKey = apiKey;
  }

  /**
   * @param {object[]} events
   * @returns {Promise<{ id: string, status: string, logoutId?: string, error?: object }[]>} one result an event, in order
   * @throws when Exeunt does not take them within the time limit, or refuses the request as a whole
   */
  async send(events) {
    const giveUpAt = Date.now() + GIVE_UP_AFTER_MS;
    for (let pause = FIRST_PAUSE_MS; ; pause *= 2) {
      const answer = await this.#post(events).catch((error) => ({ failure: error.cause?.message ?? error.message }));
      if (answer.results !== undefined) return answer.results;
      if (answer.final || Date.now() + pause > giveUpAt) throw new Error(`Exeunt did not take the events: ${answer.failure}`);
      await sleep(pause);
    }
  }

  async #post(events) {
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ events }),
      signal: AbortSignal.timeout(5_000),
    });
    if (response.status === 202) return response.json();
    const failure = `status ${response.status}: ${await response.text()}`;
    return { failure, final: response.status < 500 && response.status !== 429 };
  }
}
