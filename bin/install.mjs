// Installs the dependencies when they are missing or older than the lock file. Plain JavaScript: nothing is there yet.

import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const marker = `${root}node_modules/.package-lock.json`;
const lock = `${root}package-lock.json`;

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`unable to run Candor; Node ${process.versions.node} is too old: install Node 20.19 or newer`);
  process.exit(1);
}

export function ensureInstalled() {
  // A deployed image has its modules and no lock file.
  if (!existsSync(lock)) return;
  const isFresh = existsSync(marker) && statSync(marker).mtimeMs >= statSync(lock).mtimeMs - 1_000;
  if (isFresh || process.env.CANDOR_SKIP_INSTALL === '1') return;
  console.log('Installing dependencies (npm ci) …');
  const began = Date.now();
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: 'inherit' });
  if (npm.status !== 0) {
    console.error('unable to install the dependencies; npm ci failed, see above: check the network and try again');
    process.exit(1);
  }
  console.log(`Dependencies installed in ${((Date.now() - began) / 1000).toFixed(0)} s.`);
}

/** Lets Node load TypeScript from here on. */
export async function loadTypeScript() {
  const { register } = await import('tsx/esm/api');
  register();
}
