// `npm run chaos`: breaks real processes and networks under running turns and judges every turn; see docs/chaos.md.
// `npm run chaos -- --only worker-kill --turns 20 --seed 7` for some of it; `npm run chaos -- plans --plans 500 --seed 7`
// for random plans of faults only, `npm run chaos -- cuts --cuts 1000 --seed 7` for cut connections only. Without
// arguments all run.

import { ensureInstalled, loadTypeScript } from './install.mjs';

ensureInstalled();
await loadTypeScript();
const [first, ...rest] = process.argv.slice(2);
const isPlans = first === 'plans';
const isCuts = first === 'cuts';
const codes = [];
if (!isPlans && !isCuts) {
  const { runChaos } = await import('../test/chaos/run.ts');
  codes.push(await runChaos(process.argv.slice(2), process.env));
}
if (isPlans || first === undefined) {
  const { runPlansWithServers } = await import('../test/plans/run.ts');
  codes.push(await runPlansWithServers(rest));
}
if (isCuts || first === undefined) {
  const { runCutsWithServers } = await import('../test/cuts/run.ts');
  codes.push(await runCutsWithServers(rest));
}
process.exitCode = Math.max(...codes);
