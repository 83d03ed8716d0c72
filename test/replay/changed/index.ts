// A turn that somebody changed in place: it sleeps where the recorded one retrieved its agent.

import { sleep } from '@temporalio/workflow';

export async function ChatTurn(): Promise<void> {
  await sleep('1 second');
}
