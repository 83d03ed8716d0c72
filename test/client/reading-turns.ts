// What tests of the client ask of turns: wait for something to be so, read everything, put text together.

import type { CandorClient, ConnectionState, TurnItem } from '../../src/client/index.ts';
import { isSequenced } from '../../src/protocol/events.ts';

/** Resolves when the connection is as wanted. */
export const untilState = (client: CandorClient, kind: ConnectionState['kind']): Promise<ConnectionState> =>
  new Promise((resolve) => {
    const look = (): void => {
      if (client.state.kind !== kind) return;
      end();
      resolve(client.state);
    };
    const end = client.onState(look);
    look();
  });

export async function collect(turn: AsyncIterable<TurnItem>): Promise<readonly TurnItem[]> {
  const items: TurnItem[] = [];
  for await (const item of turn) items.push(item);
  return items;
}

/** All text in the order in which it came: what a screen shows that only ever adds. */
export const textOf = (items: readonly TurnItem[]): string =>
  items.map((item) => (item.type === 'delta' && item.channel === 'answer' ? item.text : '')).join('');

export const seqsOf = (items: readonly TurnItem[]): readonly number[] =>
  items.flatMap((item) => (item.type !== 'corrected' && isSequenced(item) ? [item.seq] : []));
