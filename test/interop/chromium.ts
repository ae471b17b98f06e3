import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';
import { CHROMIUM } from './products.js';

/** It looks nothing up and fetches nothing by itself. */
const QUIET = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The system's own Chromium, without a window. Its contexts keep third parties' cookies from frames, as browsers do more and more. */
export function startChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', ...QUIET] });
}
