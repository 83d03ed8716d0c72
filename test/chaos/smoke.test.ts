// One small wave of `npm run chaos` against the run's own servers, so that the harness does not rot: turns in every
// phase lose both workers and the way to the store at once. The whole of it is docs/chaos.md.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createSeededRandom } from '../e2e/seeded-random.ts';
import { testServers } from '../stack.ts';
import type { Fault } from './faults.ts';
import { emptyCells, toComplaints, toMarkdown } from './report.ts';
import { runScenario } from './scenario.ts';
import type { ChaosServers } from './servers.ts';
import { startSite, type Site } from './site.ts';
import { phases } from './phase.ts';

let site: Site;
beforeAll(async () => {
  site = await startSite({ servers: borrowServers(), withRedis: false });
}, 60_000);
afterAll(() => site.close());

const workersAndStore: Fault = {
  name: 'workers and store',
  does: 'SIGKILL to both workers while Neo4j is cut off',
  async strike({ site: { links, workers } }) {
    links['worker-neo4j'].cut();
    await Promise.all(workers.map((worker) => worker.end('SIGKILL')));
    links['worker-neo4j'].heal();
    await Promise.all(workers.map((worker) => worker.start()));
  },
};

test('J6 A10: workers killed and the store cut off under running turns: each ends once, with the exact text of one reply', async () => {
  const turns = phases.length;
  const options = { fault: workersAndStore, turns, waveSize: turns, random: createSeededRandom(1), prefix: 'smoke' };
  const result = await runScenario({ site, ...options, limitMs: 50_000 });
  expect(toComplaints([result])).toEqual([]);
  expect(emptyCells([result])).toEqual([]);
  expect(result.turns.map(({ outcome }) => outcome)).toEqual(Array(turns).fill('completed'));
  expect(toMarkdown([result])).toContain('| workers and store | 7 | 7 | 7 | 0 | 0 | 0 | 0 |');
}, 120_000);

/** They belong to the run, and nobody here may end them. */
function borrowServers(): ChaosServers {
  const { temporal, neo4j, bundleDir } = testServers();
  const refuse = async (): Promise<never> => {
    throw new Error('unable to break a server; it is the whole run’s');
  };
  const addressOf = (url: string) => ({
    host: '127.0.0.1',
    port: Number(new URL(url).port),
    kill: refuse,
    start: refuse,
  });
  return {
    temporal: { ...addressOf(`tcp://${temporal.address}`), namespace: temporal.namespace },
    neo4j: { ...addressOf(neo4j.uri), user: neo4j.user, password: neo4j.password },
    bundleDir,
    close: async () => undefined,
  };
}
