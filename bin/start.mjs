// `npm start`: installs what is missing, then `candor start`.

import { ensureInstalled, loadTypeScript } from './install.mjs';

ensureInstalled();
await loadTypeScript();
const { main } = await import('../src/cli.ts');
await main(['start', ...process.argv.slice(2)]);
