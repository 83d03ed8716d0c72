// `npm run chaos`: real processes, one fault after the other, a table at the end. The seed is printed, and the same seed
// plans the same waves again; what the machine makes of them is its own.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { PartError } from '../../src/parts/index.ts';
import { createSeededRandom } from '../e2e/seeded-random.ts';
import { redisProgram, withoutRedis } from '../redis-server.ts';
import { faults, type Fault } from './faults.ts';
import { isOfRedis } from './link.ts';
import { phases } from './phase.ts';
import { emptyCells, toComplaints, toMarkdown } from './report.ts';
import { runScenario, type ScenarioResult } from './scenario.ts';
import { startServers, type ChaosServers } from './servers.ts';
import { startSite, type Site } from './site.ts';

const resultsDir = fileURLToPath(new URL('results/', import.meta.url));
const limitMs = 120_000;
/** Temporal stays away for 20 s: its waves are fewer and larger. No wave is too small for every phase. */
function waveSizeOf({ name }: Fault, turns: number): number {
  const waves = Math.min(name === 'temporal-restart' ? 2 : 4, Math.max(1, Math.floor(turns / phases.length)));
  return Math.ceil(turns / waves);
}

interface Options {
  readonly seed: string;
  readonly turns: string;
  readonly only?: readonly string[];
  readonly redis: boolean;
}

/** Resolves with the exit code: 1 when anything was lost, doubled, left open or wrong. */
export async function runChaos(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const {
    seed,
    turns,
    only,
    redis: withRedis,
  } = new Command('chaos')
    .option('--seed <number>', 'plans the same waves again', String(Date.now() % 1_000_000))
    .option('--turns <number>', 'of each fault', '100')
    .option('--only <fault...>', `some of: ${faults.map(({ name }) => name).join(', ')}`)
    .option('--no-redis', 'each process with a live lane of its own, as without REDIS_URL')
    .parse([...argv], { from: 'user' })
    .opts<Options>();
  const unknown = (only ?? []).filter((name) => !faults.some((fault) => fault.name === name));
  if (unknown.length > 0) {
    console.error(`unable to run ${unknown.join(', ')}; the faults are ${faults.map(({ name }) => name).join(', ')}`);
    return 1;
  }
  const hasRedis = withRedis && redisProgram !== null;
  if (withRedis && !hasRedis) console.log(`Redis is left out; ${withoutRedis}`);
  const possible = faults.filter(({ name }) => hasRedis || !isOfRedis(name));
  const chosen = possible.filter(({ name }) => only?.includes(name) ?? true);
  console.log(`seed ${seed}, ${turns} turns for each of ${chosen.length} faults`);
  const dataDir = await mkdtemp(join(tmpdir(), 'candor-chaos-'));
  let servers: ChaosServers | null = null;
  let site: Site | null = null;
  const stop = async (): Promise<void> => {
    await site?.close();
    await servers?.close();
    await rm(dataDir, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void stop().finally(() => process.exit(130)));
  }
  try {
    servers = await startServers(env, dataDir);
    site = await startSite({ servers, withRedis: hasRedis });
    const results: ScenarioResult[] = [];
    for (const fault of chosen) {
      const number = faults.indexOf(fault);
      // Each fault has random numbers of its own, so that one of them alone is planned as in the whole run.
      const random = createSeededRandom(Number(seed) + number);
      const waveSize = waveSizeOf(fault, Number(turns));
      const scenario = { site, fault, turns: Number(turns), waveSize, random, prefix: `f${number}`, limitMs };
      const result = await runScenario(scenario);
      results.push(result);
      console.log(`${fault.name}: ${result.turns.length} turns in ${result.seconds} s`);
      for (const complaint of toComplaints([result])) console.log(`  ${complaint}`);
    }
    return await tell(results, Number(seed));
  } catch (error) {
    if (!(error instanceof PartError)) throw error;
    console.error(error.message);
    return 1;
  } finally {
    await stop();
  }
}

async function tell(results: readonly ScenarioResult[], seed: number): Promise<number> {
  console.log(`\n${toMarkdown(results)}`);
  const empty = emptyCells(results);
  const complaints = toComplaints(results);
  if (empty.length > 0) console.log(`empty cells: ${empty.join(', ')}`);
  console.log(
    `seed ${seed}, Node ${process.version}, ${availableParallelism()} cores; ${complaints.length} violations`,
  );
  await mkdir(resultsDir, { recursive: true });
  await writeFile(join(resultsDir, 'chaos.json'), `${JSON.stringify({ seed, results }, null, 2)}\n`);
  await writeFile(join(resultsDir, 'chaos.md'), `${toMarkdown(results)}\nSeed ${seed}.\n`);
  return complaints.length === 0 && empty.length === 0 ? 0 : 1;
}
