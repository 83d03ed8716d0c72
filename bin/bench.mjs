// `npm run bench`: measures against the real servers. What is measured is in bench/.
// Arguments name benchmarks: `npm run bench -- first-token`.

import { ensureInstalled, loadTypeScript } from './install.mjs';

ensureInstalled();
await loadTypeScript();
const { main } = await import('../bench/main.ts');
process.exitCode = await main(process.argv.slice(2));
