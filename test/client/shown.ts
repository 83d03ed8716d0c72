// What somebody shows who knows a turn by the items of its iterator alone. It folds them as docs/client.md says, so that a
// mistake in what is given, given twice or withdrawn is seen.

import type { TurnItem } from '../../src/client/index.ts';
import { isSequenced, type TurnEvent } from '../../src/protocol/events.ts';
import { applyEvent, applyEvents, emptyTranscript, type Transcript } from '../../src/protocol/transcript.ts';

export interface Shown {
  readonly transcript: Transcript;
  readonly items: readonly TurnItem[];
  /** The iterator has ended. */
  readonly isDone: boolean;
}

/** Reads until the iterator ends, in the background. */
export function show(turn: AsyncIterable<TurnItem>): Shown {
  const items: TurnItem[] = [];
  let kept: TurnEvent[] = [];
  let transcript = emptyTranscript;
  let isDone = false;
  void (async () => {
    for await (const item of turn) {
      items.push(item);
      if (item.type === 'corrected') {
        kept = withoutWithdrawn(kept, item.seq);
        transcript = applyEvents(emptyTranscript, kept);
      } else {
        kept.push(item);
        transcript = applyEvent(transcript, item);
      }
    }
    isDone = true;
  })().catch(() => {
    // Swallowed: the test closes the client; what it wants to know is compared before.
  });
  return {
    items,
    get transcript() {
      return transcript;
    },
    get isDone() {
      return isDone;
    },
  };
}

/** Events after `seq` are gone, and the text of every model call that is not complete at it. */
function withoutWithdrawn(events: readonly TurnEvent[], seq: number): TurnEvent[] {
  const complete = new Set(
    events.flatMap((event) =>
      event.type === 'agent_completed' && event.seq <= seq ? [`${event.step}/${event.attempt}`] : [],
    ),
  );
  return events.filter((event) => {
    if (isSequenced(event)) return event.seq <= seq;
    return event.type === 'delta' && complete.has(`${event.step}/${event.attempt}`);
  });
}
