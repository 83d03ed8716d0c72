// What a socket costs a gateway whose reader does not read, beside one whose reader does: memory of the gateway's process
// for each of 1,000, all of which follow the same long answers. Then whether sockets that come and go leave anything.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setImmediate as tick } from 'node:timers/promises';
import { startSocketRig, type SocketRig } from '../test/socket-rig.ts';
import type { Benchmark, Report } from './benchmark.ts';
import type { ReadersOrder, ReadersReport } from './sockets-readers.ts';

const readersFile = fileURLToPath(new URL('sockets-readers.ts', import.meta.url));
const sizes = { full: { sockets: 1_000, connects: 10_000 }, quick: { sockets: 100, connects: 500 } } as const;
/** Each is 200 KB and grows: together more than the system keeps on the way to a reader. */
const turns = 12;
const piece = 'The job is restarted and then watched. '.repeat(25);
const before = 160;
const during = 50;

interface Memory {
  readonly rss: number;
  readonly heap: number;
  readonly external: number;
}

export const sockets: Benchmark = {
  name: 'sockets',
  async run({ quick }) {
    const { sockets: count, connects } = quick ? sizes.quick : sizes.full;
    const reading = await measure(count, true);
    const stuck = await measure(count, false);
    const leak = await measureConnects(connects);
    return toReport(count, { reading, stuck }, connects, leak);
  },
};

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function readMemory(): Memory {
  collect();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed, external };
}

async function measure(count: number, reads: boolean): Promise<Memory & { readonly held: number }> {
  const rig = await startSocketRig();
  const readers = fork(readersFile, { execArgv: ['--import', 'tsx'] });
  try {
    const written = Array.from({ length: turns }, () => rig.begin());
    for (const turn of written) for (let n = 0; n < before; n++) turn.say(piece);
    const empty = readMemory();
    const turnIds = written.map(({ turnId }) => turnId);
    await ask(readers, { url: rig.url, turnIds, count, reads });
    while (rig.feeds.readers < count * turns) await tick();
    for (let n = 0; n < during; n++) {
      for (const turn of written) turn.say(piece);
      await tick();
    }
    await settled(rig, reads);
    const full = readMemory();
    const held = [...rig.sockets].reduce((sum, socket) => sum + socket.bufferedAmount, 0);
    const per = (kind: keyof Memory): number => (full[kind] - empty[kind]) / count;
    return { rss: per('rss'), heap: per('heap'), external: per('external'), held: held / count };
  } finally {
    readers.kill();
    await once(readers, 'exit');
    await rig.close();
  }
}

/** Readers have all of it; of the others nothing moves any more. */
async function settled(rig: SocketRig, reads: boolean): Promise<void> {
  const held = (): number => [...rig.sockets].reduce((sum, socket) => sum + socket.bufferedAmount, 0);
  for (let last = -1, still = 0; still < 50;) {
    await tick();
    const now = held();
    still = now === last && (!reads || now === 0) ? still + 1 : 0;
    last = now;
  }
}

async function ask(readers: ReturnType<typeof fork>, order: ReadersOrder): Promise<void> {
  const done = new Promise<void>((resolve, reject) => {
    readers.once('exit', (code) => reject(new Error(`unable to measure; the readers ended with ${code}`)));
    readers.on('message', ({ state }: ReadersReport) => state === 'connected' && resolve());
  });
  readers.send(order);
  await done;
}

/** Heap before and after, with everything collected, and what is still there of the sockets. */
async function measureConnects(connects: number) {
  const rig = await startSocketRig();
  try {
    const turn = rig.begin();
    turn.say(piece);
    const come = async (): Promise<void> => {
      const socket = await rig.connect();
      socket.send(JSON.stringify({ type: 'watch', conversationId: turn.turnId }));
      socket.send(JSON.stringify({ type: 'resume', turnId: turn.turnId }));
      const heard = once(socket, 'message');
      socket.resume();
      await heard;
      socket.terminate();
      await once(socket, 'close');
    };
    const round = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n += 50) await Promise.all(Array.from({ length: 50 }, come));
      while (rig.sockets.size > 0) await tick();
    };
    await round(500);
    const first = readMemory();
    await round(connects);
    const last = readMemory();
    return { heapBytes: last.heap - first.heap, readers: rig.feeds.readers, sockets: rig.sockets.size };
  } finally {
    await rig.close();
  }
}

function toReport(
  count: number,
  { reading, stuck }: Record<'reading' | 'stuck', Memory & { readonly held: number }>,
  connects: number,
  leak: { readonly heapBytes: number; readonly readers: number; readonly sockets: number },
): Report {
  const kb = (bytes: number): string => (bytes / 1_024).toFixed(1);
  const row = (name: string, m: Memory & { readonly held: number }) =>
    [name, kb(m.rss), kb(m.heap), kb(m.external), kb(m.held)] as const;
  const perConnect = leak.heapBytes / connects;
  return {
    tables: [
      {
        title: `Memory of the gateway for each of ${count} sockets, all following ${turns} answers of ${Math.round(
          ((before + during) * piece.length) / 1_024,
        )} KB; KB a socket`,
        head: ['its reader', 'RSS', 'heap', 'external', 'waiting to be sent'],
        rows: [row('reads', reading), row('does not read', stuck)],
      },
      {
        title: `${connects} sockets that came and went`,
        head: ['heap left a socket, bytes', 'readers left', 'sockets left'],
        rows: [[perConnect.toFixed(0), leak.readers, leak.sockets]],
      },
    ],
    bars: [
      {
        bar: 'a socket whose reader does not read holds less than two slices (128 KB)',
        measured: `${kb(stuck.held)} KB`,
        met: stuck.held < 128 * 1_024,
      },
      {
        bar: `nothing is left of ${connects} sockets (less than 100 bytes of heap each)`,
        measured: `${perConnect.toFixed(0)} bytes, ${leak.readers} readers`,
        met: perConnect < 100 && leak.readers === 0,
      },
    ],
    samples: { reading, stuck, leak },
  };
}
