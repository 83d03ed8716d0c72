#!/usr/bin/env node
// The command. Everything of it is in src/cli.ts.

import { ensureInstalled, loadTypeScript } from './install.mjs';

ensureInstalled();
await loadTypeScript();
const { main } = await import('../src/cli.ts');
await main(process.argv.slice(2));
