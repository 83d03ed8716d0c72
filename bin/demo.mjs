// `npm run demo`: a turn whose process is killed in the middle of a word, before your eyes. What is shown is in demo/.

import { ensureInstalled, loadTypeScript } from './install.mjs';

ensureInstalled();
await loadTypeScript();
const { runDemo } = await import('../demo/run.ts');
process.exitCode = await runDemo(process.argv.slice(2));
