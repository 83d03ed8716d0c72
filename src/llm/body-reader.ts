// Takes a body's bytes as they are there. What came while nobody asked comes as one piece: when the process is behind,
// pieces become larger, not later. One promise for each wait and none for bytes that lie there, because a token passes
// here ten thousand times a second.

import type { Readable } from 'node:stream';

export interface BodyReader {
  /** All bytes that are there; waits when there are none. `null`: the end. @throws what broke the body */
  read(): Promise<Uint8Array | null>;
}

export function createBodyReader(body: Readable): BodyReader {
  let ended = false;
  let failure: { readonly cause: unknown } | null = null;
  let wake: (() => void) | null = null;
  const changed = (): void => {
    const waiting = wake;
    wake = null;
    waiting?.();
  };
  const wait = (resolve: () => void): void => void (wake = resolve);
  const fail = (cause: unknown): void => {
    failure ??= { cause };
    changed();
  };
  body.on('readable', changed);
  body.on('end', () => {
    ended = true;
    changed();
  });
  body.on('error', fail);
  body.on('close', () => {
    if (!ended) fail(new Error('the body was closed before its end'));
  });
  return {
    async read() {
      for (;;) {
        const bytes = body.read() as Uint8Array | null;
        if (bytes !== null) return bytes;
        if (failure !== null) throw failure.cause;
        if (ended) return null;
        await new Promise<void>(wait);
      }
    },
  };
}
