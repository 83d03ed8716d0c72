// `npm run record-histories`: records the histories that the replay tests go through; see test/replay/README.md.

import { ensureInstalled, loadTypeScript } from './install.mjs';

ensureInstalled();
await loadTypeScript();
const { runTests } = await import('../test/run.ts');
process.exitCode = await runTests(['--testMatch', '**/test/replay/record.ts']);
