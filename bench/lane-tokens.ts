// Tokens that say when they were published, so that whoever receives them knows how long they took, also when several
// were joined on their way.

import { randomUUID } from 'node:crypto';
import type { Delta } from '../src/protocol/events.ts';
import type { AgentId, ConversationId, TurnId } from '../src/protocol/ids.ts';
import type { LiveLane } from '../src/protocol/ports.ts';

/** Of both processes: the same clock of the same machine. */
const nowMs = (): number => performance.timeOrigin + performance.now();

export interface LatencyLog {
  /** Milliseconds from publishing to receipt, one for each token. */
  readonly samples: Promise<readonly number[]>;
  end(): void;
}

/** Follows turns until each has brought so many tokens. */
export function logLatencies(lane: LiveLane, turnIds: readonly TurnId[], tokens: number): LatencyLog {
  const samples: number[] = [];
  const ends: (() => void)[] = [];
  const all = new Promise<readonly number[]>((resolve) => {
    const take = ({ text }: Delta): void => {
      const at = nowMs();
      for (const token of text.trimEnd().split(' ')) samples.push(at - Number(token));
      if (samples.length >= turnIds.length * tokens) resolve(samples);
    };
    for (const turnId of turnIds) {
      ends.push(
        lane.subscribe(turnId, (event) => {
          if (event.type === 'delta') take(event);
        }),
      );
    }
  });
  return { samples: all, end: () => ends.forEach((end) => end()) };
}

/** Publishes the tokens of each turn on an absolute schedule, the turns evenly apart. Resolves when all are out. */
export async function publishTokens(
  lane: LiveLane,
  turnIds: readonly TurnId[],
  { tokens, perSecond }: { readonly tokens: number; readonly perSecond: number },
): Promise<void> {
  const everyMs = 1_000 / perSecond;
  const began = performance.now();
  await Promise.all(
    turnIds.map(async (turnId, index) => {
      const conversationId = randomUUID() as ConversationId;
      const own = {
        type: 'delta',
        turnId,
        conversationId,
        agentId: 'operator' as AgentId,
        step: 1,
        attempt: 1,
      } as const;
      let offset = 0;
      for (let n = 0; n < tokens; n++) {
        const dueMs = (n + index / turnIds.length) * everyMs;
        const waitMs = dueMs - (performance.now() - began);
        if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
        const text = `${nowMs().toFixed(3)} `;
        lane.publish({ ...own, time: new Date().toISOString(), channel: 'answer', offset, text, after: 3 });
        offset += text.length;
      }
    }),
  );
}
