// An end to waiting for a server that accepts connections and then says nothing. Its own time-outs do not help: it does
// not run them.

import { CandorError } from '../protocol/errors.ts';

/** The work itself cannot be stopped from here; its result is dropped. @throws CandorError `graph_unavailable` */
export async function within<Value>(limitMs: number, work: () => Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const cause = new Error(`unable to query Neo4j; no answer within ${limitMs} ms, look at the server's own log`);
      reject(new CandorError('graph_unavailable', { cause }));
    }, limitMs);
  });
  try {
    return await Promise.race([work(), silence]);
  } finally {
    clearTimeout(timer);
  }
}
