// `npm run check`: everything that can be known without running the product. The steps are in checks/.

import { ensureInstalled, loadTypeScript } from './install.mjs';

ensureInstalled();
await loadTypeScript();
const { runChecks } = await import('../checks/run.ts');
process.exitCode = await runChecks();
