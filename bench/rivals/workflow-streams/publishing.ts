// The rival's way out of the activity: a publisher for each model call, as the package's example for models has it. The
// first piece of text goes at once, the others in batches, and the activity ends when its last batch is delivered.

import { WorkflowStreamClient, type WorkflowStreamClientOptions } from '@temporalio/workflow-streams/client';
import type { TurnEvent } from '../../../src/protocol/events.ts';
import type { TurnId } from '../../../src/protocol/ids.ts';
import type { Activities } from '../../../src/run/candor.ts';
import { streamTopic, toItem, type StreamItem } from './items.ts';

export interface Publishing {
  /** Only what an activity says of its own call; the rest is in the stream already, or is about a closed workflow. */
  publish(event: TurnEvent): void;
  /** Gives each model call a publisher. */
  around(activities: Activities): Activities;
}

/** @param batchInterval absent: the package's own */
export function createPublishing({ batchInterval }: Pick<WorkflowStreamClientOptions, 'batchInterval'>): Publishing {
  const calls = new Map<TurnId, (event: TurnEvent) => void>();
  return {
    publish: (event) => calls.get(event.turnId)?.(event),
    around: (activities) => ({
      ...activities,
      async stream(input) {
        const client = WorkflowStreamClient.fromWithinActivity(batchInterval === undefined ? {} : { batchInterval });
        const topic = client.topic<StreamItem>(streamTopic);
        let isFirst = true;
        calls.set(input.turnId, (event) => {
          // The workflow's own events come here by the sink too.
          if ('seq' in event) return;
          topic.publish(toItem(event), { forceFlush: isFirst });
          isFirst = false;
        });
        try {
          return await activities.stream(input);
        } finally {
          calls.delete(input.turnId);
          await client[Symbol.asyncDispose]();
        }
      },
    }),
  };
}
