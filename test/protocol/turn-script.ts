// Random legal turns, as the canonical list of their events: what a reader who misses nothing receives. Texts stand in a
// table apart, because they are the model's: two runs of the same workflow task may decide otherwise, but a model call
// that is over has one text.

import fc from 'fast-check';
import { toErrorInfo } from '../../src/protocol/errors.ts';
import {
  isSequenced,
  type Channel,
  type Delta,
  type SequencedEvent,
  type TurnEvent,
} from '../../src/protocol/events.ts';
import type { AgentId, AuditId, ConversationId, TurnId } from '../../src/protocol/ids.ts';
import { unknownUsage, type Receipt } from '../../src/protocol/receipt.ts';
import { boundaries } from './text-cuts.ts';

const turnId = '6f1f9df0-5e0b-4c0c-9d5f-0a4f6d0b1a01' as TurnId;
const conversationId = 'b3f0c0de-0000-4000-8000-000000000001' as ConversationId;
const agents = ['operator', 'reporter'] as AgentId[];
const channels: readonly Channel[] = ['reasoning', 'answer'];
const envelope = { turnId, conversationId, time: '2026-03-01T12:00:00.000Z' };
const error = toErrorInfo('llm_unavailable', { facts: { model: 'm', backend: 'b', reason: 'refused' } });

interface StepScript {
  /** Tries; all but the last fail. */
  readonly attempts: number;
  /** Ends with an `agent_completed`; the last step does by its turn's end. */
  readonly completes: boolean;
}
export interface TurnScript {
  readonly queuedBehind: number;
  readonly model: string;
  readonly steps: readonly StepScript[];
  readonly end: 'completed' | 'failed' | 'cancelled';
}
/** Chunks of text per `step/attempt/channel`. */
export type Texts = ReadonlyMap<string, readonly string[]>;

const maxSteps = 3;
const maxAttempts = 3;

export const anyScript: fc.Arbitrary<TurnScript> = fc.record({
  queuedBehind: fc.nat({ max: 2 }),
  model: fc.constantFrom('small', 'large'),
  steps: fc.array(
    fc.record({
      attempts: fc.integer({ min: 1, max: maxAttempts }),
      completes: fc.boolean(),
    }),
    { minLength: 1, maxLength: maxSteps },
  ),
  end: fc.constantFrom('completed', 'failed', 'cancelled'),
});

const anyChunk = fc.string({
  unit: fc.constantFrom('a', 'b', ' ', '\n', 'é', '漢', '😀', '👩‍🚀'),
  minLength: 1,
  maxLength: 6,
});
export const anyTexts: fc.Arbitrary<Texts> = fc
  .array(fc.array(anyChunk, { maxLength: 4 }), {
    minLength: maxSteps * maxAttempts * channels.length,
    maxLength: maxSteps * maxAttempts * channels.length,
  })
  .map((all) => new Map(addresses().map((address, index) => [address, all[index] ?? []])));

function addresses(): string[] {
  const all: string[] = [];
  for (let step = 1; step <= maxSteps; step++) {
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      for (const channel of channels) all.push(`${step}/${attempt}/${channel}`);
    }
  }
  return all;
}

/** Everything the model returned in one channel of one call. */
export const textOf = (texts: Texts, step: number, attempt: number, channel: Channel): string =>
  (texts.get(`${step}/${attempt}/${channel}`) ?? []).join('');

/** The canonical events of a turn, its end included. */
export function toEvents({ queuedBehind, model, steps, end }: TurnScript, texts: Texts): TurnEvent[] {
  const out: TurnEvent[] = [];
  let seq = 0;
  const next = () => ({ ...envelope, seq: ++seq });

  out.push({ type: 'turn_accepted', ...next(), agentId: agents[0] as AgentId, text: 'how?' });
  for (let n = 0; n < queuedBehind; n++) {
    out.push({ type: 'turn_queued', ...next(), behind: `6f1f9df0-5e0b-4c0c-9d5f-0a4f6d0b1a1${n}` as TurnId });
  }
  out.push({ type: 'agent_started', ...next(), agentId: agents[0] as AgentId, model, context: [] });

  steps.forEach(({ attempts, completes }, index) => {
    const step = index + 1;
    const isLast = step === steps.length;
    const agentId = agents[index % agents.length] as AgentId;
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const call = { agentId, step, attempt };
      out.push({ type: 'agent_thinking', ...next(), ...call, maxAttempts, model });
      for (const channel of channels) out.push(...toDeltas(call, channel, texts, seq));
      const isFinal = attempt === attempts;
      if (!isFinal) {
        out.push({
          type: 'attempt_failed',
          ...next(),
          ...call,
          maxAttempts,
          error,
          retryAt: envelope.time,
          discardedChars: 1,
        });
      } else if (isLast && end === 'failed') {
        out.push({ type: 'agent_failed', ...next(), ...call, discardedChars: 1, error });
      } else if (isLast ? end === 'completed' : completes) {
        const text = textOf(texts, step, attempt, 'answer');
        const rest = { finishReason: 'stop', incomplete: false, citations: [], unsupported: [], usage: unknownUsage };
        out.push({ type: 'agent_completed', ...next(), ...call, text, ...rest, sha256: `of ${text}` });
      }
    }
  });

  if (end !== 'failed') {
    out.push({ type: 'conversation_stored', ...next(), storedAt: envelope.time });
    out.push({ type: 'audit_started', ...next(), auditId: `audit/${turnId}` as AuditId });
  }
  out.push(toTerminal(end, next()));
  return out;
}

function toDeltas(
  call: Pick<Delta, 'agentId' | 'step' | 'attempt'>,
  channel: Channel,
  texts: Texts,
  after: number,
): Delta[] {
  let offset = 0;
  return (texts.get(`${call.step}/${call.attempt}/${channel}`) ?? []).map((text) => {
    const delta: Delta = { type: 'delta', ...envelope, ...call, channel, offset, text, after };
    offset += text.length;
    return delta;
  });
}

function toTerminal(end: TurnScript['end'], place: typeof envelope & { seq: number }): SequencedEvent {
  const receipt: Receipt = {
    version: 1,
    turnId,
    conversationId,
    agentId: agents[0] as AgentId,
    outcome: end,
    model: null,
    backend: null,
    attempts: [],
    incomplete: false,
    promptSha256: null,
    answerSha256: null,
    previousReceiptSha256: null,
    issuedAt: envelope.time,
  };
  if (end === 'completed') return { type: 'turn_completed', ...place, receipt };
  if (end === 'failed') return { type: 'turn_failed', ...place, error, receipt };
  const stop = { by: 'user', requestedAt: envelope.time, upstreamClosedAt: null, charsAfterStop: null } as const;
  return { type: 'turn_cancelled', ...place, ...stop, receipt };
}

/** The verdict that follows a turn with text. */
export const auditEvent: TurnEvent = {
  type: 'audit_completed',
  ...envelope,
  auditId: `audit/${turnId}` as AuditId,
  verdict: 'accepted',
  confidence: 0.1,
  reason: 'fine',
};

/** The same texts cut elsewhere: pieces may overlap, repeat and leave holes. */
export function anyRecut(events: readonly TurnEvent[], texts: Texts): fc.Arbitrary<TurnEvent[]> {
  const thinkings = events.filter((event) => event.type === 'agent_thinking');
  return fc.infiniteStream(fc.nat({ max: 1_000 })).map((numbers) => {
    const draw = (below: number): number => (numbers.next().value ?? 0) % below;
    const pieces: TurnEvent[] = [];
    for (const { agentId, step, attempt, seq } of thinkings) {
      for (const channel of channels) {
        const text = textOf(texts, step, attempt, channel);
        const cuts = boundaries(text);
        for (let n = draw(4); n > 0 && text !== ''; n--) {
          const [a = 0, b = 0] = [cuts[draw(cuts.length)] ?? 0, cuts[draw(cuts.length)] ?? 0];
          const [from, to] = [Math.min(a, b), Math.max(a, b)];
          const later = events.filter(isSequenced).length - seq;
          const after = seq + (later > 0 ? draw(Math.min(later, 2)) : 0);
          pieces.push({
            type: 'delta',
            ...envelope,
            agentId,
            step,
            attempt,
            channel,
            offset: from,
            text: text.slice(from, to),
            after,
          });
        }
      }
    }
    return pieces;
  });
}
