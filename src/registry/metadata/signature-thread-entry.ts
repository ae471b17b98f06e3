/** Where the thread's program lies; apart, because tests run it from the sources. */
export const ENTRY = { url: new URL('./signature-thread-program.js', import.meta.url), execArgv: [] as string[] };
