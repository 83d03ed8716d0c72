// `npm run chaos -- cuts [--cuts 1000] [--redis-cuts 50] [--seed N] [--at-once N] [--tokens N] [--no-redis]`.

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { redisProgram, withoutRedis } from '../redis-server.ts';
import { startCutSite } from './cut-site.ts';
import { complaintsOf, cutsOf, toCutsTable } from './report.ts';
import { runCuts, type CutTurn } from './run-cuts.ts';

/** Resolves with false when anything was lost, doubled or wrong. */
export async function cutsCommand(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      cuts: { type: 'string', default: '1000' },
      'redis-cuts': { type: 'string', default: '50' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      'at-once': { type: 'string', default: '8' },
      tokens: { type: 'string', default: '400' },
      'no-redis': { type: 'boolean', default: false },
    },
  });
  const [cuts, redisCuts, seed, atOnce, tokens] = [
    ...[values.cuts, values['redis-cuts'], values.seed, values['at-once'], values.tokens].map(Number),
  ] as [number, number, number, number, number];
  const withRedis = !values['no-redis'] && redisProgram !== null;
  if (!values['no-redis'] && !withRedis) console.log(`Redis is left out; ${withoutRedis}`);
  console.log(`${cuts} cuts, seed ${seed} (again: npm run chaos -- cuts --cuts ${cuts} --seed ${seed})`);
  const site = await startCutSite({ withRedis });
  const turns: CutTurn[] = [];
  const beganMs = Date.now();
  let toldCuts = 0;
  try {
    await runCuts({
      ...{ site, seed, cuts, atOnce, tokens, redisCuts: withRedis ? redisCuts : 0 },
      onTurn(turn) {
        turns.push(turn);
        for (const complaint of complaintsOf([turn])) console.log(`  ${complaint}`);
        if (cutsOf(turns) < toldCuts + 100) return;
        toldCuts = cutsOf(turns);
        console.log(`${toldCuts} cuts, ${turns.length} turns`);
      },
    });
  } finally {
    await site.close();
    console.log(`\n${toCutsTable(turns)}`);
    const seconds = Math.round((Date.now() - beganMs) / 1_000);
    console.log(`seed ${seed}, ${seconds} s, Node ${process.version}, ${availableParallelism()} cores`);
  }
  return complaintsOf(turns).length === 0;
}
