import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext } from 'playwright-core';

/** The system's own (Debian: apt-get install chromium). */
const CHROMIUM = '/usr/bin/chromium';

/** Nothing of it looks anything up or fetches anything by itself. */
const QUIET = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const OPTIONS = { executablePath: CHROMIUM, headless: true, args: ['--no-sandbox', ...QUIET] };

/** Without a window. What is opened in it is as in a private window: cookies of other sites than the page's are blocked. */
export async function startChromium(): Promise<Browser> {
  return chromium.launch(OPTIONS);
}

/** What people may have set. Debian's package blocks cookies of other sites unless told otherwise. */
const PREFERENCES = { profile: { cookie_controls_mode: 0, block_third_party_cookies: false } };

/** With a profile of its own, in which cookies of other sites than the page's go along. */
export async function withProfile<Result>(use: (context: BrowserContext) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'exeunt-chromium-'));
  try {
    mkdirSync(join(folder, 'Default'));
    writeFileSync(join(folder, 'Default', 'Preferences'), JSON.stringify(PREFERENCES));
    const context = await chromium.launchPersistentContext(folder, OPTIONS);
    try {
      return await use(context);
    } finally {
      await context.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * A suite that needs a real browser. Without a Chromium on the machine its tests are left out: one skipped test says so, `npm test` counts it aloud, and
 * with `CI=true` it is a failure.
 */
export function describeOnChromium(name: string, suite: () => void): void {
  if (existsSync(CHROMIUM)) {
    describe(`${name} [chromium]`, suite);
    return;
  }
  describe(`${name} [chromium]`, () => {
    if (process.env.CI === 'true') {
      it('needs a Chromium', () => {
        throw new Error(`"${name}" needs a browser, and there is no ${CHROMIUM}: install it (with CI=true nothing is left out)`);
      });
    } else {
      it.skip(`left out: no ${CHROMIUM} on this machine`, () => undefined);
    }
  });
}
