// What lies in a rival's stream, one item an event: without what its reader knows anyway, because an item is base64 in
// history twice, once in the signal that brings it and once in the answer to the poll that takes it.

import type { Delta, TurnAccepted, TurnEvent } from '../../../src/protocol/events.ts';
import type { TurnId } from '../../../src/protocol/ids.ts';

export const streamTopic = 'events';

type DeltaItem = Pick<Delta, 'type' | 'time' | 'step' | 'attempt' | 'channel' | 'offset' | 'text' | 'after'>;
export type StreamItem = DeltaItem | Exclude<TurnEvent, Delta>;

export function toItem(event: TurnEvent): StreamItem {
  if (event.type !== 'delta') return event;
  const { type, time, step, attempt, channel, offset, text, after } = event;
  return { type, time, step, attempt, channel, offset, text, after };
}

/** Gives deltas their turn's envelope back, which the first item of a stream has. */
export function createItemReader(turnId: TurnId): (item: StreamItem) => TurnEvent | null {
  let accepted: TurnAccepted | null = null;
  return (item) => {
    if (item.type === 'turn_accepted') accepted = item;
    if (item.type !== 'delta') return item;
    if (accepted === null) return null;
    const { conversationId, agentId } = accepted;
    return { ...item, turnId, conversationId, agentId };
  };
}
