// `npm start`: installs what is missing, then `candor start`. The script in package.json begins with `exec`: a shell in
// between would take the signals that npm hands on and leave everything running.

import { ensureInstalled, loadTypeScript } from './install.mjs';

const npm = process.ppid;
if (process.env.npm_lifecycle_event !== undefined) {
  // An npm that was killed cannot hand anything on.
  const watch = setInterval(() => {
    if (process.ppid === npm) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 1_000).unref();
}
ensureInstalled();
await loadTypeScript();
const { main } = await import('../src/cli.ts');
await main(['start', ...process.argv.slice(2)]);
