// The live lane through `@temporalio/workflow-streams`, behind the port that the product's own lanes have: the gateway and
// the activities do not know the difference. Stops go by memory within the process, as they do on the product's lane.

import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { WorkflowStreamClient } from '@temporalio/workflow-streams/client';
import { createMemoryLane } from '../../../src/live/memory.ts';
import type { TurnEvent } from '../../../src/protocol/events.ts';
import { turnWorkflowId, type TurnId } from '../../../src/protocol/ids.ts';
import type { LiveLane } from '../../../src/protocol/ports.ts';
import { createItemReader, streamTopic, type StreamItem } from './items.ts';
import type { Publishing } from './publishing.ts';

export interface RivalLaneOptions {
  readonly client: Client;
  readonly publishing: Publishing;
  /** Told when a poll fails, as polls do while the engine has too much to do. The subscription is taken up again. */
  readonly report: (turnId: TurnId, error: unknown) => void;
}

/** The package's own pause between polls. */
const retryMs = 100;

export function createRivalLane({ client, publishing, report }: RivalLaneOptions): LiveLane {
  const follow = async (turnId: TurnId, listener: (event: TurnEvent) => void, isOver: () => boolean): Promise<void> => {
    const read = createItemReader(turnId);
    const topic = WorkflowStreamClient.create(client, turnWorkflowId(turnId)).topic<StreamItem>(streamTopic);
    let next = 0;
    while (!isOver()) {
      try {
        for await (const { data, offset } of topic.subscribe(next)) {
          if (isOver()) return;
          next = offset + 1;
          const event = read(data);
          if (event !== null) listener(event);
        }
        return;
      } catch (error) {
        report(turnId, error);
        await delay(retryMs);
      }
    }
  };
  return {
    ...createMemoryLane(),
    publish: (event) => publishing.publish(event),
    subscribe(turnId, listener) {
      let isOver = false;
      void follow(turnId, listener, () => isOver);
      return () => {
        isOver = true;
      };
    },
  };
}
