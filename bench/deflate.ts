// What permessage-deflate would cost and save on a socket that carries an answer of 400 tokens: processor time and bytes
// of each event, memory of each socket; without it, with a context of its own for each event, and with one that is kept.
// The three take turns, so that whatever else the machine does meets all of them.

import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer, type PerMessageDeflateOptions } from 'ws';
import type { Benchmark, Report } from './benchmark.ts';

const modes: readonly (readonly [string, boolean | PerMessageDeflateOptions])[] = [
  ['off', false],
  ['on, no context kept', { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true }],
  ['on, context kept', { threshold: 0 }],
];
const sockets = { full: 200, quick: 20 } as const;
const rounds = { full: 5, quick: 1 } as const;
const tokens = 400;
const words = ['The job ', 'is ', 'restarted ', 'with `conman rr`', ' and then ', 'watched, ', 'until it ', 'ends. '];

interface Sample {
  readonly mode: string;
  readonly cpuUsPerEvent: number;
  readonly bytesPerEvent: number;
  readonly rssKbPerSocket: number;
}

export const deflate: Benchmark = {
  name: 'deflate',
  async run({ quick }) {
    const count = quick ? sockets.quick : sockets.full;
    const samples: Sample[] = [];
    for (let round = 0; round < (quick ? rounds.quick : rounds.full); round++) {
      for (const [mode, perMessageDeflate] of modes) samples.push(await measure(mode, perMessageDeflate, count));
    }
    return toReport(samples, count);
  },
};

/** What a gateway sends for one answer, a token an event. */
function toFrames(): readonly string[] {
  const address = { conversationId: randomUUID(), turnId: randomUUID(), time: new Date().toISOString() };
  let offset = 0;
  return Array.from({ length: tokens }, (_, n) => {
    const text = words[n % words.length] ?? '';
    const call = { agentId: 'operator', step: 1, attempt: 1, channel: 'answer', offset, text, after: 3 };
    offset += text.length;
    return JSON.stringify({ type: 'delta', ...address, ...call });
  });
}

async function measure(
  mode: string,
  perMessageDeflate: boolean | PerMessageDeflateOptions,
  count: number,
): Promise<Sample> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate });
  await once(server, 'listening');
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const rssBefore = process.memoryUsage().rss;
  const clients = await Promise.all(
    Array.from({ length: count }, async () => {
      const client = new WebSocket(url, { perMessageDeflate: perMessageDeflate !== false });
      await once(client, 'open');
      return client;
    }),
  );
  const received = clients.map(
    (client) =>
      new Promise<void>((resolve) => {
        let left = tokens;
        client.on('message', () => (left -= 1) === 0 && resolve());
      }),
  );
  const ends = [...server.clients];
  const cpuBefore = process.cpuUsage();
  // An event at a time to all of them: what a tick of a gateway does while a model speaks.
  for (const frame of toFrames()) {
    await Promise.all(ends.map((end) => new Promise<void>((resolve) => end.send(frame, () => resolve()))));
  }
  await Promise.all(received);
  const { user, system } = process.cpuUsage(cpuBefore);
  const bytes = ends.reduce((sum, end) => sum + bytesWritten(end), 0);
  const rssKbPerSocket = (process.memoryUsage().rss - rssBefore) / 1_024 / count;
  for (const client of clients) client.terminate();
  const closed = once(server, 'close');
  server.close();
  await closed;
  const events = tokens * count;
  return { mode, cpuUsPerEvent: (user + system) / events, bytesPerEvent: bytes / events, rssKbPerSocket };
}

/** `ws` keeps the connection to itself. */
const bytesWritten = (socket: WebSocket): number =>
  (socket as unknown as { readonly _socket: { readonly bytesWritten: number } })._socket.bytesWritten;

function toReport(samples: readonly Sample[], count: number): Report {
  const median = (values: readonly number[]): number =>
    [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
  const rows = modes.map(([mode]) => {
    const own = samples.filter((sample) => sample.mode === mode);
    return [
      mode,
      median(own.map((s) => s.cpuUsPerEvent)).toFixed(1),
      median(own.map((s) => s.bytesPerEvent)).toFixed(0),
      median(own.map((s) => s.rssKbPerSocket)).toFixed(0),
    ];
  });
  return {
    tables: [
      {
        title: `permessage-deflate: ${tokens} deltas to each of ${count} sockets; both ends of them in one process, median`,
        head: ['compression', 'CPU µs an event', 'bytes an event', 'KB of RSS a socket (both ends)'],
        rows,
      },
    ],
    bars: [],
    samples,
  };
}
