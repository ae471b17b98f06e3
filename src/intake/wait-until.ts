/** First look after this, then ever later. Milliseconds. */
const FIRST_LOOK_MS = 10;
const LATEST_LOOK_MS = 250;

/** Reads until `done`, or `seconds` have passed. @returns what was read last; read at least once. */
export async function waitUntil<Seen>(read: () => Promise<Seen>, done: (seen: Seen) => boolean, seconds: number): Promise<Seen> {
  const end = Date.now() + seconds * 1_000;
  let pause = FIRST_LOOK_MS;
  for (;;) {
    const seen = await read();
    const left = end - Date.now();
    if (done(seen) || left <= 0) return seen;
    await new Promise((resolve) => setTimeout(resolve, Math.min(pause, left)));
    pause = Math.min(pause * 2, LATEST_LOOK_MS);
  }
}
