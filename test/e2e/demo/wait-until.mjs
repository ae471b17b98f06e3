import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 150;

/**
 * Asks again and again until the answer is something other than `undefined`.
 * @template T
 * @param {string} what for the error: what was waited for
 * @param {number} limitMs
 * @param {() => Promise<T | undefined>} ask an error thrown by it ends the waiting
 * @returns {Promise<T>}
 */
export async function waitUntil(what, limitMs, ask) {
  const giveUpAt = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > giveUpAt) throw new Error(`waited ${Math.round(limitMs / 1000)} s for ${what}, in vain`);
    await sleep(PAUSE_MS);
  }
}
