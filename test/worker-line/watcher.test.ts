// The watch over all workers of a queue: who is called, who is told dead and how often, and where stops go.

import { afterEach, describe, expect, test } from '@jest/globals';
import type { TurnId } from '../../src/protocol/ids.ts';
import { toIdentity } from '../../src/worker-line/line-address.ts';
import { openLine, type LineServer } from '../../src/worker-line/line-server.ts';
import type { StopRequest } from '../../src/worker-line/messages.ts';
import { createWatcher, type Watcher } from '../../src/worker-line/watcher.ts';

const machine = 'a1b2c3';
const closers: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Worker {
  readonly identity: string;
  readonly line: LineServer;
  readonly stops: readonly StopRequest[];
}
async function createWorker(pid: number): Promise<Worker> {
  const stops: StopRequest[] = [];
  const line = await openLine({ host: '127.0.0.1', machine, onStop: (request) => stops.push(request) });
  closers.push(() => line.drop().catch(() => undefined));
  return { identity: toIdentity(pid, 'host', line.address), line, stops };
}

interface Watching {
  readonly watcher: Watcher;
  readonly deaths: readonly string[];
  readonly troubles: readonly string[];
  looks: number;
}
function watch(listed: () => readonly string[], self: string | null = null, onDeath?: () => Promise<void>): Watching {
  const deaths: string[] = [];
  const troubles: string[] = [];
  const watcher = createWatcher({
    machine,
    self,
    async listWorkers() {
      watching.looks += 1;
      return listed();
    },
    async onDeath(identity) {
      deaths.push(identity);
      await onDeath?.();
    },
    onTrouble: (_error, what) => troubles.push(what),
    lookEveryMs: 5,
  });
  closers.push(() => watcher.close());
  const watching: Watching = { watcher, deaths, troubles, looks: 0 };
  return watching;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}

describe('the watch over the workers of a queue', () => {
  test('calls all that are listed, also those that come later, but not itself and none without a line', async () => {
    const [own, first, late] = [await createWorker(1), await createWorker(2), await createWorker(3)];
    const listed = [own.identity, first.identity, '4@host', 'somebody else'];
    const { watcher } = watch(() => listed, own.identity);
    await until(() => first.line.watchers === 1);
    listed.push(late.identity);
    await until(() => late.line.watchers === 1);
    expect(own.line.watchers).toBe(0);
    const stop = { turnId: 'turn-1' as TurnId, requestedAt: '2026-01-02T03:04:05.000Z' };
    // The worker has welcomed the watcher before the watcher knows it.
    await until(() => {
      watcher.requestStop(stop);
      return first.stops.length > 0 && late.stops.length > 0;
    });
    expect([own.stops, first.stops[0], late.stops[0]]).toEqual([[], stop, stop]);
  });

  test('tells each death once, however often the list still names the dead', async () => {
    const worker = await createWorker(1);
    const watching = watch(() => [worker.identity]);
    await until(() => worker.line.watchers === 1);
    await worker.line.drop();
    await until(() => watching.deaths.length > 0);
    const { looks } = watching;
    await until(() => watching.looks > looks + 3);
    expect(watching.deaths).toEqual([worker.identity]);
  });

  test('finds the dead of before its own start', async () => {
    const worker = await createWorker(1);
    await worker.line.drop();
    const watching = watch(() => [worker.identity]);
    await until(() => watching.deaths.length > 0);
    expect(watching.deaths).toEqual([worker.identity]);
  });

  test('tells no death of a worker that said goodbye', async () => {
    const worker = await createWorker(1);
    const watching = watch(() => [worker.identity]);
    await until(() => worker.line.watchers === 1);
    await worker.line.goodbye();
    const { looks } = watching;
    await until(() => watching.looks > looks + 3);
    expect(watching.deaths).toEqual([]);
  });

  test('goes on when the list cannot be read, and when a death cannot be dealt with', async () => {
    const worker = await createWorker(1);
    let isAway = true;
    const listed = (): readonly string[] => {
      if (isAway) throw new Error('away');
      return [worker.identity];
    };
    const watching = watch(listed, null, async () => {
      throw new Error('away');
    });
    await until(() => watching.troubles.length > 0);
    isAway = false;
    await until(() => worker.line.watchers === 1);
    await worker.line.drop();
    await until(() => watching.deaths.length > 0 && watching.troubles.some((what) => what.includes('death')));
    expect(watching.troubles[0]).toBe('unable to list the workers');
  });

  test('leaves its lines when it is closed', async () => {
    const worker = await createWorker(1);
    const { watcher, deaths } = watch(() => [worker.identity]);
    await until(() => worker.line.watchers === 1);
    await watcher.close();
    await until(() => worker.line.watchers === 0);
    expect(deaths).toEqual([]);
  });
});
