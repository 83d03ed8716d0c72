// What lies in Redis and travels through it: the events of one turn that were published within one tick, as JSON. What
// all of them share is said once, and pieces of one text become one piece, because the stream of a long answer is
// mostly envelope otherwise.

import { isSequenced, type Delta, type TurnEvent } from '../protocol/events.ts';
import type { ConversationId, TurnId } from '../protocol/ids.ts';

/** A reader that finds another version skips the entry: the durable side has what it says. */
const version = 1;

export function toEntry(conversationId: ConversationId, events: readonly TurnEvent[]): string {
  const own = events.map((event) => ({ ...event, turnId: undefined, conversationId: undefined }));
  return JSON.stringify({ v: version, conversationId, events: own });
}

/** Whatever cannot be read is left out: what else lies in that Redis must not stop a gateway. */
export function parseEntry(turnId: TurnId, text: string): readonly TurnEvent[] {
  const entry = parseJson(text);
  if (!isObject(entry) || entry['v'] !== version || typeof entry['conversationId'] !== 'string') return [];
  const { conversationId, events } = entry;
  if (!Array.isArray(events)) return [];
  return events.map((own: object) => ({ ...own, turnId, conversationId }) as unknown as TurnEvent).filter(isSound);
}

/** `events` with `event` behind them; text that goes on where the last piece ended becomes part of it. */
export function appendEvent(events: TurnEvent[], event: TurnEvent): void {
  const last = events.at(-1);
  if (last?.type === 'delta' && event.type === 'delta' && goesOn(last, event)) {
    events[events.length - 1] = { ...last, text: last.text + event.text };
  } else {
    events.push(event);
  }
}

const goesOn = (last: Delta, next: Delta): boolean =>
  last.step === next.step &&
  last.attempt === next.attempt &&
  last.channel === next.channel &&
  last.after === next.after &&
  last.offset + last.text.length === next.offset;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // Swallowed: no entry of ours; it is left out, as the docstring above says.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** The reducer counts with these. */
function isSound(event: TurnEvent): boolean {
  if (typeof event.type !== 'string' || typeof event.time !== 'string') return false;
  if (isSequenced(event) && !isCount(event.seq)) return false;
  if (event.type !== 'delta') return true;
  const { step, attempt, offset, after, text } = event;
  return [step, attempt, after].every(isCount) && Number.isSafeInteger(offset) && typeof text === 'string';
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value > 0;
