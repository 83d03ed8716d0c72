// What is asked of a turn by HTTP, and of the engine: a stop, the truth when it is over, whether it is over.

import { setTimeout as delay } from 'node:timers/promises';
import { isTerminal, type TurnEvent } from '../../src/protocol/events.ts';
import { turnWorkflowId, type TurnId } from '../../src/protocol/ids.ts';
import type { Stack } from '../stack.ts';
import type { Played } from './played.ts';
import type { Rig } from './rig.ts';

const againMs = 100;

export async function askToStop(rig: Rig, turnId: TurnId): Promise<void> {
  const response = await rig.gateway('near').fetch(`/api/turns/${turnId}/cancel`, { method: 'POST' });
  await response.arrayBuffer();
}

/** Resolves when the engine says that the turn's workflow is closed, also when it is yet to begin. */
export async function untilClosed(rig: Rig, turnId: TurnId, playing: AbortSignal): Promise<void> {
  const handle = rig.gateway('near').client.workflow.getHandle(turnWorkflowId(turnId));
  while (!playing.aborted) {
    try {
      await handle.result();
      return;
    } catch (error) {
      if ((error as Error).name === 'WorkflowFailedError' || playing.aborted) return;
      if ((error as Error).name !== 'WorkflowNotFoundError') throw error;
      await delay(againMs);
    }
  }
}

export const readLate = (rig: Rig, turnId: TurnId): Promise<Played['late']> =>
  Promise.all(
    (['near', 'far'] as const).map(async (name) => ({
      name: `the late reader at the ${name} gateway`,
      events: await readEventStream(() => rig.gateway(name), turnId),
    })),
  );

export async function readView(rig: Rig, turnId: TurnId): Promise<Played['view']> {
  const response = await rig.gateway('near').fetch(`/api/turns/${turnId}`);
  return (await response.json()) as Played['view'];
}

/** The turn as server-sent events, from the beginning; a gateway that goes meanwhile is asked again, or its successor. */
async function readEventStream(gateway: () => Stack, turnId: TurnId): Promise<readonly TurnEvent[]> {
  for (;;) {
    const text = await readWhole(gateway(), `/api/turns/${turnId}/events`);
    const lines = text.split('\n').filter((line) => line.startsWith('data: '));
    const events = lines.map((line) => JSON.parse(line.slice('data: '.length)) as TurnEvent);
    if (events.some(isTerminal)) return events;
    await delay(againMs);
  }
}

async function readWhole(gateway: Stack, path: string): Promise<string> {
  try {
    const response = await gateway.fetch(path);
    const text = await response.text();
    if (!response.ok && response.status < 500) throw new Error(`unable to read ${path}; status ${response.status}`);
    return response.ok ? text : '';
  } catch (error) {
    // Swallowed: the gateway was replaced by another plan; its successor has the whole turn.
    if (error instanceof TypeError) return '';
    throw error;
  }
}
