// What is asked of a turn by HTTP, and of the engine: a stop, the truth when it is over, whether it is over.

import type { TurnEvent } from '../../src/protocol/events.ts';
import { turnWorkflowId, type TurnId } from '../../src/protocol/ids.ts';
import type { Stack } from '../stack.ts';
import type { Played } from './played.ts';
import type { Rig } from './rig.ts';

export async function askToStop(rig: Rig, turnId: TurnId): Promise<void> {
  const response = await rig.gateway('near').fetch(`/api/turns/${turnId}/cancel`, { method: 'POST' });
  await response.arrayBuffer();
}

/** Resolves when the engine says that the turn's workflow is closed, also when it is yet to begin. */
export async function untilClosed(rig: Rig, turnId: TurnId): Promise<void> {
  const handle = rig.gateway('near').client.workflow.getHandle(turnWorkflowId(turnId));
  for (;;) {
    try {
      await handle.result();
      return;
    } catch (error) {
      if ((error as Error).name === 'WorkflowFailedError') return;
      if ((error as Error).name !== 'WorkflowNotFoundError') throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

export const readLate = (rig: Rig, turnId: TurnId): Promise<Played['late']> =>
  Promise.all(
    (['near', 'far'] as const).map(async (name) => ({
      name: `the late reader at the ${name} gateway`,
      events: await readEventStream(rig.gateway(name), turnId),
    })),
  );

export async function readView(rig: Rig, turnId: TurnId): Promise<Played['view']> {
  const response = await rig.gateway('near').fetch(`/api/turns/${turnId}`);
  return (await response.json()) as Played['view'];
}

/** The turn as server-sent events, from the beginning to where the gateway ends them. */
async function readEventStream(gateway: Stack, turnId: TurnId): Promise<readonly TurnEvent[]> {
  const response = await gateway.fetch(`/api/turns/${turnId}/events`);
  if (!response.ok) throw new Error(`unable to read the events of ${turnId}; status ${response.status}`);
  const lines = (await response.text()).split('\n').filter((line) => line.startsWith('data: '));
  return lines.map((line) => JSON.parse(line.slice('data: '.length)) as TurnEvent);
}
