// A real browser for the tests of the page: one that is installed already, or the one that CHROMIUM_PATH names.

import { chromium, type Browser } from 'playwright-core';
import { findOnPath } from '../../src/parts/on-path.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Path of an installed browser; `null` when there is none. */
export async function findBrowser(env: NodeJS.ProcessEnv): Promise<string | null> {
  const named = env['CHROMIUM_PATH'];
  if (named !== undefined) return named;
  for (const name of names) {
    const found = await findOnPath(name, env);
    if (found !== undefined) return found;
  }
  return null;
}

export async function launchBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    // A test's browser talks to the test's gateway and to nobody else.
    args: [
      '--no-sandbox',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      '--disable-quic',
      '--disable-gpu',
    ],
  });
}
