// Events of a small turn, and whoever listens to a lane in a test.

import { randomUUID } from 'node:crypto';
import type { AgentThinking, Delta, TurnEvent } from '../../src/protocol/events.ts';
import { auditWorkflowId, type AgentId, type ConversationId, type TurnId } from '../../src/protocol/ids.ts';
import type { LiveLane } from '../../src/protocol/ports.ts';
import { answerOf, applyEvent, emptyTranscript } from '../../src/protocol/transcript.ts';

const agentId = 'operator' as AgentId;
const time = '2026-01-01T00:00:00.000Z';

export function createScript(turnId = randomUUID() as TurnId) {
  const own = { turnId, conversationId: randomUUID() as ConversationId, time, agentId };
  const thinking: AgentThinking = {
    ...own,
    type: 'agent_thinking',
    seq: 3,
    step: 1,
    attempt: 1,
    maxAttempts: 4,
    model: 'wire-model',
  };
  let offset = 0;
  const begin: readonly TurnEvent[] = [
    { ...own, type: 'turn_accepted', seq: 1, text: 'How do I restart a job?' },
    { ...own, type: 'agent_started', seq: 2, model: 'wire-model', context: [] },
    thinking,
  ];
  return {
    turnId,
    /** Up to the first text. */
    begin,
    /** The next piece of the answer. */
    delta: (text: string): Delta => {
      const delta: Delta = { ...own, type: 'delta', step: 1, attempt: 1, channel: 'answer', offset, text, after: 3 };
      offset += text.length;
      return delta;
    },
    /** What comes last by the lane. */
    last: { ...own, type: 'audit_started', seq: 4, auditId: auditWorkflowId(turnId) } as const,
  };
}

export interface Heard {
  readonly events: readonly TurnEvent[];
  /** As a reader of the turn has it. */
  readonly answer: string;
  /** Resolves when the answer is this. */
  untilAnswer(answer: string): Promise<void>;
  until(fits: (heard: Heard) => boolean): Promise<void>;
  end(): void;
}

/** Subscribes, and keeps what it is told. */
export function listen(lane: LiveLane, turnId: TurnId): Heard {
  const events: TurnEvent[] = [];
  const looks = new Set<() => void>();
  let transcript = emptyTranscript;
  const end = lane.subscribe(turnId, (event) => {
    events.push(event);
    transcript = applyEvent(transcript, event);
    for (const look of [...looks]) look();
  });
  const heard: Heard = {
    events,
    get answer() {
      return answerOf(transcript);
    },
    untilAnswer: (answer) => heard.until(() => heard.answer === answer),
    until: (fits) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!fits(heard)) return;
          looks.delete(look);
          resolve();
        };
        looks.add(look);
        look();
      }),
    end,
  };
  return heard;
}
