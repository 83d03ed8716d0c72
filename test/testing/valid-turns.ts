// Legal turns for the checker: those of the reducer's property test, with true hashes, counts and one agent, and with
// something to say where the end asks for it.

import fc from 'fast-check';
import type { SequencedEvent, TurnEvent } from '../../src/protocol/events.ts';
import type { AgentId } from '../../src/protocol/ids.ts';
import { answerOf, toTranscript } from '../../src/protocol/transcript.ts';
import type { UpstreamText } from '../../testing/transcript-checker.ts';
import { sha256 } from '../../testing/transcript/outcome.ts';
import { anyScript, anyTexts, textOf, toEvents, type Texts, type TurnScript } from '../protocol/turn-script.ts';

export interface ValidTurn {
  readonly events: readonly TurnEvent[];
  readonly upstream: readonly UpstreamText[];
}

const agentId = 'operator' as AgentId;

export function toValidTurn(script: TurnScript, texts: Texts): ValidTurn {
  const events = toEvents(script, texts);
  const answer = answerOf(toTranscript(events));
  const upstream = events
    .filter((e) => e.type === 'agent_thinking')
    .map(({ step, attempt }) => ({
      text: textOf(texts, step, attempt, 'answer'),
      whole: events.some((e) => e.type === 'agent_completed' && e.step === step && e.attempt === attempt),
    }));
  return { events: events.map((event) => correct(event, texts, answer)), upstream };
}

function correct(event: TurnEvent, texts: Texts, answer: string): TurnEvent {
  switch (event.type) {
    case 'agent_thinking':
    case 'delta':
      return { ...event, agentId };
    case 'attempt_failed': {
      const shown = (['answer', 'reasoning'] as const).map((c) => textOf(texts, event.step, event.attempt, c).length);
      return { ...event, agentId, discardedChars: shown.reduce((a, b) => a + b, 0) };
    }
    case 'agent_completed':
      return { ...event, agentId, sha256: sha256(event.text) };
    case 'agent_failed':
      return { ...event, agentId };
    case 'turn_completed':
      return { ...event, receipt: { ...event.receipt, answerSha256: sha256(answer) } };
    default:
      return event;
  }
}

/** A turn that ends well ends with text. */
export const anyValidTurn: fc.Arbitrary<ValidTurn> = fc
  .tuple(anyScript, anyTexts)
  .filter(([script, texts]) => {
    const { step, attempt } = lastCall(script);
    return script.end === 'failed' || textOf(texts, step, attempt, 'answer').trim() !== '';
  })
  .map(([script, texts]) => toValidTurn(script, texts));

const lastCall = ({ steps }: TurnScript) => ({ step: steps.length, attempt: steps.at(-1)?.attempts ?? 1 });

const isSeq = (event: TurnEvent): event is SequencedEvent => 'seq' in event;

/** Takes an event of the log out and closes the hole. */
export function without(events: readonly TurnEvent[], seq: number): TurnEvent[] {
  return events
    .filter((event) => !isSeq(event) || event.seq !== seq)
    .map((event): TurnEvent => {
      if (isSeq(event)) return event.seq > seq ? { ...event, seq: event.seq - 1 } : event;
      return event.type === 'delta' && event.after >= seq ? { ...event, after: event.after - 1 } : event;
    });
}

/** Lets two neighbours of the log change places. */
export function swapped(events: readonly TurnEvent[], seq: number): TurnEvent[] {
  const renumbered = events.map((event): TurnEvent => {
    if (!isSeq(event)) return event;
    if (event.seq === seq) return { ...event, seq: seq + 1 };
    return event.seq === seq + 1 ? { ...event, seq } : event;
  });
  const [a, b] = [
    renumbered.findIndex((e) => isSeq(e) && e.seq === seq + 1),
    renumbered.findIndex((e) => isSeq(e) && e.seq === seq),
  ];
  const [first, second] = [renumbered[a], renumbered[b]];
  return first === undefined || second === undefined ? renumbered : renumbered.with(a, second).with(b, first);
}
