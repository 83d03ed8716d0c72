// `npm run chaos`: breaks real processes and networks under running turns and judges every turn; see docs/chaos.md.
// `npm run chaos -- --only worker-kill --turns 20 --seed 7` for some of it; `npm run chaos -- plans --plans 500 --seed 7`
// for random plans of faults only. Without arguments both run.

import { ensureInstalled, loadTypeScript } from './install.mjs';

ensureInstalled();
await loadTypeScript();
const [first, ...rest] = process.argv.slice(2);
const isPlans = first === 'plans';
const codes = [];
if (!isPlans) {
  const { runChaos } = await import('../test/chaos/run.ts');
  codes.push(await runChaos(process.argv.slice(2), process.env));
}
if (isPlans || first === undefined) {
  const { runPlansWithServers } = await import('../test/plans/run.ts');
  codes.push(await runPlansWithServers(rest));
}
process.exitCode = Math.max(...codes);
