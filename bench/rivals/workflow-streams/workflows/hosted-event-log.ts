// The log of a turn whose workflow hosts a stream: events of the workflow itself are appended to the stream where they
// arise, which costs neither a signal nor a history event. Constructed before the first `await` of the turn, as the
// package asks for.

import { WorkflowStream } from '@temporalio/workflow-streams/workflow';
import { isTerminal } from '../../../../src/protocol/events.ts';
import type { TurnInput } from '../../../../src/protocol/turn.ts';
import { createEventLog as createOwnLog, type EventLog } from '../../../../src/workflows/event-log.ts';
import { streamTopic, toItem, type StreamItem } from '../items.ts';

export function createEventLog(turn: TurnInput, now: () => string): EventLog {
  const stream = new WorkflowStream();
  const topic = stream.topic<StreamItem>(streamTopic);
  const log = createOwnLog(turn, now);
  const show = (): void => {
    const event = log.events.at(-1);
    if (event === undefined) return;
    // A turn waits for its handlers before it closes, and a parked poll is one: it would wait for ever.
    if (isTerminal(event)) stream.detachPollers();
    else topic.publish(toItem(event));
  };
  return {
    get events() {
      return log.events;
    },
    append(event) {
      log.append(event);
      show();
    },
    emit(draft) {
      const seq = log.emit(draft);
      show();
      return seq;
    },
  };
}
