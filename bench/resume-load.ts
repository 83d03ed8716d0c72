// The clients of the resume benchmark, in a process of their own: all connect at once, each names its turn and its cursor
// as soon as its socket is open, and reads until the first character that it lacks.

import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { CursorFrame } from '../src/protocol/cursor.ts';
import type { ServerFrame } from '../src/protocol/frames.ts';

export interface ResumeOrder {
  /** Address of the gateway, `http://…`. */
  readonly url: string;
  readonly token: string;
  /** One for each client. */
  readonly resumes: readonly { readonly turnId: string; readonly cursor: CursorFrame }[];
}

export interface ResumeReport {
  /** Milliseconds from the `resume` frame to the first missing character, one for each client. */
  readonly resumedMs: readonly number[];
  /** From the beginning of the connection. */
  readonly connectedMs: readonly number[];
  /** Clients whose text did not begin exactly at their cursor. */
  readonly wrong: number;
}

async function resume(order: ResumeOrder, index: number) {
  const { turnId, cursor } = order.resumes[index] ?? { turnId: '', cursor: { seq: 0 } };
  const beganMs = performance.now();
  const socket = new WebSocket(`${order.url.replace('http', 'ws')}/ws/operator`, ['candor.v1'], {
    headers: { authorization: `Bearer ${order.token}` },
  });
  await once(socket, 'open');
  const askedMs = performance.now();
  const first = new Promise<number | null>((resolve) => {
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString('utf8')) as ServerFrame;
      if (frame.type === 'error') resolve(null);
      if (frame.type === 'delta' && frame.turnId === turnId) resolve(frame.offset);
    });
    socket.once('close', () => resolve(null));
  });
  socket.send(JSON.stringify({ type: 'resume', turnId, cursor }));
  const offset = await first;
  const nowMs = performance.now();
  socket.terminate();
  return { resumedMs: nowMs - askedMs, connectedMs: nowMs - beganMs, isRight: offset === cursor.offset };
}

// Ends when its parent lets go of it, which has the report then.
process.on('message', (message) => {
  const order = message as ResumeOrder;
  void Promise.all(order.resumes.map((_, index) => resume(order, index))).then((all) => {
    const report: ResumeReport = {
      resumedMs: all.map(({ resumedMs }) => resumedMs),
      connectedMs: all.map(({ connectedMs }) => connectedMs),
      wrong: all.filter(({ isRight }) => !isRight).length,
    };
    process.send?.(report);
  });
});
