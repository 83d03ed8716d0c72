// `npm run bench`: the benchmarks, in the order in which they run, and what the command's options do. Each benchmark is
// loaded when it runs, in a process of its own, so that none meets what another has left behind.

import { fileURLToPath } from 'node:url';
import { withServers } from '../test/servers.ts';
import type { Benchmark } from './benchmark.ts';
import { parseCommand, usage } from './command.ts';
import { readLoad } from './machine.ts';
import { listResults } from './results.ts';
import { writePages } from './pages.ts';
import { runSeries } from './series.ts';

export interface Entry {
  readonly name: string;
  /** What it measures, in one line. */
  readonly about: string;
  readonly load: () => Promise<Benchmark>;
}

/** One line each. What others wait for comes first: a token's way before what happens when something breaks. */
// prettier-ignore
export const benchmarks: readonly Entry[] = [
  { name: 'first-token', about: 'first event and first token, beside a direct call', load: async () => (await import('./first-token.ts')).firstToken },
  { name: 'tokens', about: 'a token’s way to the socket at 1, 10 and 50 turns, beside workflow-streams', load: async () => (await import('./tokens.ts')).tokens },
  { name: 'cost', about: 'history and processor time of a turn, beside workflow-streams', load: async () => (await import('./cost.ts')).cost },
  { name: 'throughput', about: 'turns per second, beside workflow-streams and the engine alone', load: async () => (await import('./throughput.ts')).throughput },
  { name: 'history', about: 'events and bytes of a turn in history', load: async () => (await import('./history.ts')).history },
  { name: 'stop', about: 'from the cancel frame to the end of the model’s connection', load: async () => (await import('./stop.ts')).stop },
  { name: 'kill', about: 'from SIGKILL of a worker to the next first token', load: async () => (await import('./kill.ts')).kill },
  { name: 'readers', about: '1 to 1,000 sockets that follow one turn', load: async () => (await import('./readers.ts')).readers },
  { name: 'resume', about: 'from a reconnect to the first missing character, at 1, 100 and 1,000 clients', load: async () => (await import('./resume.ts')).resume },
  { name: 'sockets', about: 'memory of 1,000 sockets that do not read; what 10,000 that came and went leave', load: async () => (await import('./sockets.ts')).sockets },
  { name: 'deflate', about: 'permessage-deflate: processor time, bytes and memory', load: async () => (await import('./deflate.ts')).deflate },
  { name: 'lane', about: 'a token’s time on the live lane alone', load: async () => (await import('./lane.ts')).lane },
];

const root = fileURLToPath(new URL('..', import.meta.url));

/** @param args of the command line. Resolves with the exit code: 1 when a benchmark could not be measured */
export async function main(args: readonly string[]): Promise<number> {
  const names = benchmarks.map(({ name }) => name);
  const command = parseCommand(args, names);
  switch (command.do) {
    case 'refuse':
      console.error(`${command.reason}\n\n${usage(names)}`);
      return 1;
    case 'help':
      console.log(usage(names));
      return 0;
    case 'list': {
      const results = await listResults(root, { quick: command.quick });
      for (const { name, about } of benchmarks) {
        const took = results.find((result) => result.name === name)?.tookS;
        console.log(`${name.padEnd(14)} ${about}${took === undefined ? '' : `; took ${took} s`}`);
      }
      return 0;
    }
    case 'report':
      for (const path of await writePages(root, names, command)) console.log(`wrote ${path}`);
      return 0;
    case 'measure': {
      const loadBefore = readLoad();
      const code = await withServers((env) => runSeries({ root, env, loadBefore, ...command }));
      if (command.all && !command.quick)
        for (const path of await writePages(root, names, command)) console.log(`wrote ${path}`);
      return code;
    }
  }
}
