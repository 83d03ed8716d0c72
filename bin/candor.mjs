#!/usr/bin/env node
// The command. Everything of it is in src/cli.ts.

import { ensureInstalled, loadTypeScript } from './install.mjs';

ensureInstalled();
const args = process.argv.slice(2);
// What is loaded before the loader of TypeScript does not pass through it: a worker that takes over after a death needs
// a fifth less processor time to start.
if (args[0] === 'worker' || args[0] === 'gateway') {
  const packages = [
    '@temporalio/worker',
    '@temporalio/client',
    'neo4j-driver',
    'openai',
    'undici',
    'prom-client',
    'zod',
  ];
  await Promise.all(packages.map((name) => import(name)));
}
await loadTypeScript();
const { main } = await import('../src/cli.ts');
await main(args);
