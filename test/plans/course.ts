// The course of one turn as it is seen from outside: which events came, in which phase it is, and when a moment of the
// plan has come. Events are told by whoever sees them first, readers or the lane; repeats change nothing.

import { isSequenced, type SequencedEvent, type TurnEvent } from '../../src/protocol/events.ts';
import type { Moment } from './plan.ts';

/** `sent`: nobody has said yet that it was accepted. */
export const phases = [
  'sent',
  'accepted',
  'retrieving',
  'thinking',
  'streaming',
  'backing off',
  'storing',
  'ended',
] as const;
export type Phase = (typeof phases)[number];

export interface Course {
  readonly observe: (event: TurnEvent) => void;
  /** The worker began to link the turn. */
  linking(): void;
  /** The model server wrote the first piece of a call. */
  wrote(): void;
  /** A reader has the terminal, or the engine says that the turn is closed. */
  end(): void;
  readonly phase: Phase;
  readonly ended: Promise<void>;
  /** Resolves with false when the turn ended before. */
  reached(moment: Extract<Moment, { at: 'event' | 'end' }>): Promise<boolean>;
}

export function createCourse(): Course {
  const log = new Map<number, SequencedEvent>();
  const waiting = new Set<() => void>();
  let isLinking = false;
  let isWriting = false;
  let isOver = false;
  let resolveEnded: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (resolveEnded = resolve));
  const changed = (): void => {
    for (const look of [...waiting]) look();
  };
  const last = (): SequencedEvent | undefined => log.get(Math.max(...log.keys()));

  return {
    observe(event) {
      if (!isSequenced(event)) return;
      if (!log.has(event.seq) && event.type === 'agent_thinking') isWriting = false;
      log.set(event.seq, event);
      changed();
    },
    linking() {
      isLinking = true;
    },
    wrote() {
      isWriting = true;
    },
    end() {
      isOver = true;
      resolveEnded();
      changed();
    },
    get phase(): Phase {
      if (isOver) return 'ended';
      switch (last()?.type) {
        case undefined:
          return isLinking ? 'retrieving' : 'sent';
        case 'turn_accepted':
        case 'turn_queued':
          return isLinking ? 'retrieving' : 'accepted';
        case 'agent_started':
          return 'retrieving';
        case 'agent_thinking':
          return isWriting ? 'streaming' : 'thinking';
        case 'attempt_failed':
          return 'backing off';
        default:
          return 'storing';
      }
    },
    ended,
    reached(moment) {
      const isHere = (): boolean =>
        moment.at === 'end'
          ? isOver
          : [...log.values()].filter(({ type }) => type === moment.type).length >= moment.nth;
      return new Promise((resolve) => {
        const look = (): void => {
          if (!isHere() && !isOver) return;
          waiting.delete(look);
          resolve(isHere());
        };
        waiting.add(look);
        look();
      });
    },
  };
}
