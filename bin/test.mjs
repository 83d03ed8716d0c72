// `npm test`: installs what is missing, runs the real servers that the tests need, and Jest against them.
// Arguments go to Jest: `npm test -- test/workflows`.

import { ensureInstalled, loadTypeScript } from './install.mjs';

ensureInstalled();
await loadTypeScript();
const { runTests } = await import('../test/run.ts');
process.exitCode = await runTests(process.argv.slice(2));
