// A checker that finds nothing is none: each violation is planted in a good turn and found by its name; good turns, as
// many as one likes, have none.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toErrorInfo } from '../../src/protocol/errors.ts';
import type { Delta, TurnEvent } from '../../src/protocol/events.ts';
import type { TurnId } from '../../src/protocol/ids.ts';
import { checkTranscript, violationMeanings, type ViolationName } from '../../testing/transcript-checker.ts';
import type { Texts, TurnScript } from '../protocol/turn-script.ts';
import { anyValidTurn, swapped, toValidTurn, without, type ValidTurn } from './valid-turns.ts';

const texts: Texts = new Map([
  ['1/1/answer', ['Restart ', 'the jab']],
  ['1/2/reasoning', ['Let me see.']],
  ['1/2/answer', ['Restart ', 'the job 😀', ' with conman.']],
]);
const script: TurnScript = {
  queuedBehind: 1,
  model: 'm',
  steps: [{ attempts: 2, completes: true }],
  end: 'completed',
};
const completed = toValidTurn(script, texts);
const failed = toValidTurn({ ...script, end: 'failed' }, texts);
const cancelled = toValidTurn({ ...script, end: 'cancelled' }, texts);

const error = toErrorInfo('llm_unavailable', { facts: { model: 'm', backend: 'b', reason: 'refused' } });
type OfType<Type> = Extract<TurnEvent, { type: Type }>;
/** Changes every event of a type for which `change` gives something. */
const changed = <Type extends TurnEvent['type']>(
  { events }: ValidTurn,
  type: Type,
  change: (event: OfType<Type>) => Partial<OfType<Type>> | undefined,
): TurnEvent[] => events.map((event) => (event.type === type ? { ...event, ...change(event as OfType<Type>) } : event));
const delta = (step: number, attempt: number, offset: number) => (d: Delta) =>
  d.step === step && d.attempt === attempt && d.channel === 'answer' && d.offset === offset;
const seqOf = ({ events }: ValidTurn, type: TurnEvent['type']): number => {
  const found = events.find((e) => e.type === type);
  return found !== undefined && 'seq' in found ? found.seq : 0;
};
const last = <Item>(items: readonly Item[]): Item => items.at(-1) as Item;
const dropped = ({ events }: ValidTurn, fits: (event: TurnEvent) => boolean) => events.filter((e) => !fits(e));
const insertedAfter = ({ events }: ValidTurn, fits: (event: TurnEvent) => boolean, event: TurnEvent): TurnEvent[] =>
  events.toSpliced(events.findIndex(fits) + 1, 0, event);
const isDelta = (fits: (d: Delta) => boolean) => (e: TurnEvent) => e.type === 'delta' && fits(e);
const find = <Type extends TurnEvent['type']>({ events }: ValidTurn, type: Type): OfType<Type> =>
  events.find((e) => e.type === type) as OfType<Type>;
const lastDelta = completed.events.find(isDelta(delta(1, 2, 18))) as Delta;
const aFailure = { ...find(failed, 'turn_failed'), seq: find(completed, 'turn_completed').seq };
const withTerminal = (terminal: TurnEvent): TurnEvent[] => [...completed.events.slice(0, -1), terminal];

const planted: readonly (readonly [string, readonly TurnEvent[], ViolationName])[] = [
  ['a turn that stops in the middle', completed.events.slice(0, 6), 'no_terminal'],
  ['nothing at all', [], 'no_terminal'],
  ['two ends', [...completed.events, aFailure], 'two_terminals'],
  [
    'an event behind the end',
    [
      ...completed.events,
      { ...find(completed, 'conversation_stored'), seq: last(completed.events.filter((e) => 'seq' in e)).seq + 1 },
    ],
    'after_terminal',
  ],
  [
    'text behind the end of a stopped turn',
    [...cancelled.events, { ...lastDelta, offset: 31, text: '!' }],
    'after_terminal',
  ],
  [
    'a wait behind the end',
    [
      ...completed.events,
      { ...find(completed, 'delta'), type: 'waiting', reason: 'model', since: '' } as unknown as TurnEvent,
    ],
    'after_terminal',
  ],
  ['a lost event', dropped(completed, (e) => e.type === 'agent_started'), 'gap'],
  ['a lost event, never found', dropped(completed, (e) => e.type === 'agent_started'), 'seq_missing'],
  ['a lost delta', dropped(completed, isDelta(delta(1, 2, 0))), 'gap'],
  ['a delta too far on', changed(completed, 'delta', (d) => (delta(1, 2, 8)(d) ? { offset: 9 } : undefined)), 'gap'],
  [
    'an event of another turn',
    insertedAfter(completed, (e) => e.type === 'agent_started', {
      ...find(completed, 'delta'),
      turnId: 'another' as TurnId,
    }),
    'foreign_event',
  ],
  ['no acceptance', without(completed.events, 1), 'order'],
  ['two acceptances', changed(completed, 'turn_queued', () => ({ type: 'turn_accepted' }) as never), 'order'],
  ['a call of an agent that did not start', without(completed.events, seqOf(completed, 'agent_started')), 'order'],
  ['queued after the start', swapped(completed.events, seqOf(completed, 'turn_queued')), 'order'],
  ['stored after the audit', swapped(completed.events, seqOf(completed, 'conversation_stored')), 'order'],
  ['completed and not stored', without(completed.events, seqOf(completed, 'conversation_stored')), 'order'],
  ['completed and not audited', without(completed.events, seqOf(completed, 'audit_started')), 'order'],
  ['stopped, stored and not audited', without(cancelled.events, seqOf(cancelled, 'audit_started')), 'order'],
  ['completed without a reply', without(completed.events, seqOf(completed, 'agent_completed')), 'order'],
  ['failed without agent_failed', without(failed.events, seqOf(failed, 'agent_failed')), 'order'],
  ['tried again without a failure', without(completed.events, seqOf(completed, 'attempt_failed')), 'order'],
  [
    'an attempt left out',
    changed(completed, 'agent_thinking', (e) => (e.attempt === 2 ? { attempt: 3 } : undefined)),
    'attempt_numbering',
  ],
  [
    'more attempts than announced',
    changed(completed, 'agent_thinking', () => ({ maxAttempts: 1 })),
    'attempt_numbering',
  ],
  ['a step left out', changed(completed, 'agent_thinking', () => ({ step: 2 })), 'attempt_numbering'],
  [
    'text before its call',
    insertedAfter(completed, (e) => e.type === 'agent_started', {
      ...find(completed, 'delta'),
      after: 1,
    }),
    'without_call',
  ],
  ['text that is older than its call', changed(completed, 'delta', () => ({ after: 1 })), 'without_call'],
  [
    'a reply of a call that was not made',
    changed(completed, 'agent_completed', () => ({ attempt: 3 })),
    'without_call',
  ],
  [
    'a delta that cuts a character',
    changed(completed, 'delta', (d) => (delta(1, 2, 8)(d) ? { text: d.text.slice(0, -1) } : undefined)),
    'surrogate_split',
  ],
  [
    'other text at a known place',
    insertedAfter(completed, isDelta(delta(1, 2, 8)), {
      ...find(completed, 'delta'),
      attempt: 2,
      text: 'Reboot',
      channel: 'answer',
    }),
    'overlap_differs',
  ],
  [
    'text sent again as if it were new',
    insertedAfter(completed, isDelta(delta(1, 2, 18)), {
      ...lastDelta,
      offset: 31,
    }),
    'doubled',
  ],
  [
    'a failure claimed of a call that had completed',
    insertedAfter(
      {
        ...completed,
        events: completed.events.map((e) =>
          'seq' in e && e.seq > seqOf(completed, 'agent_completed') ? { ...e, seq: e.seq + 1 } : e,
        ),
      },
      (e) => e.type === 'agent_completed',
      { ...find(completed, 'attempt_failed'), attempt: 2, seq: seqOf(completed, 'agent_completed') + 1 },
    ),
    'discarded_text_shown',
  ],
  [
    'fewer characters discarded than shown',
    changed(completed, 'attempt_failed', () => ({ discardedChars: 3 })),
    'discarded_count',
  ],
  ['a reply that is another text', changed(completed, 'agent_completed', () => ({ text: 'Reboot.' })), 'reply_differs'],
  ['a hash of another text', changed(completed, 'agent_completed', () => ({ sha256: 'f'.repeat(64) })), 'sha256'],
  [
    'a receipt of another answer',
    changed(completed, 'turn_completed', ({ receipt }) => ({ receipt: { ...receipt, answerSha256: 'f'.repeat(64) } })),
    'sha256',
  ],
  [
    'text that nobody sent, in an attempt that failed',
    changed(completed, 'delta', (d) => (delta(1, 1, 8)(d) ? { text: 'nothing' } : undefined)),
    'not_upstream_text',
  ],
  ['an answer and an error', withTerminal(aFailure), 'answer_and_error'],
  [
    'an error without a code',
    changed(failed, 'turn_failed', () => ({ error: { ...error, code: 'oops' as never } })),
    'neither',
  ],
  [
    'an error without a sentence',
    changed(failed, 'turn_failed', () => ({ error: { ...error, message: '' } })),
    'neither',
  ],
  ['an empty answer', [...changed(completed, 'agent_completed', () => ({ text: ' ' }))], 'neither'],
  [
    'a sentence that nobody said',
    changed(failed, 'turn_failed', () => ({ error: { ...error, message: 'Something went wrong.' } })),
    'banned_sentence',
  ],
];

const namesOf = (
  events: readonly TurnEvent[],
  { upstream }: Pick<ValidTurn, 'upstream'> = completed,
): ViolationName[] => checkTranscript(events, { upstream }).violations.map(({ name }) => name);

describe('a good turn has no violation', () => {
  test.each([
    ['completed', completed],
    ['failed', failed],
    ['cancelled', cancelled],
  ])('%s', (_, turn) => {
    expect(checkTranscript(turn.events, { upstream: turn.upstream }).violations).toEqual([]);
  });

  test('frames that are no events of the turn are passed over', () => {
    const hello = { type: 'hello', protocol: 'candor.v1', agentId: 'operator', user: 'ada' } as never;
    const { turnId } = find(completed, 'turn_accepted');
    const other = { ...find(failed, 'turn_failed'), turnId: 'another' as TurnId };
    expect(checkTranscript([hello, ...completed.events, other], { turnId }).violations).toEqual([]);
  });

  test('a message that was refused has its explicit end', () => {
    const refusal = { type: 'error', error, inReplyTo: 'a-turn' } as const;
    expect(checkTranscript([refusal], { turnId: 'a-turn' as TurnId }).violations).toEqual([]);
  });

  test('text that comes again, overlaps or comes late is counted and no violation', () => {
    const again = completed.events.flatMap((e) => [e, e]);
    const late = [...completed.events.filter(isDelta((d) => d.attempt === 1))];
    const events = again.toSpliced(-2, 0, ...late);
    const { violations, figures } = checkTranscript(events, { upstream: completed.upstream });
    expect(violations).toEqual([]);
    expect(figures).toMatchObject({ overlapChars: 15 + 11 + 31 + 15, lateDeltas: 2, discardedChars: 15, attempts: 2 });
    expect(figures.repeatedEvents).toBe(completed.events.filter((e) => 'seq' in e).length);
  });

  test('a silence of more than 15 s is a figure', () => {
    const events = completed.events.map((e) =>
      e.type === 'agent_completed' || ('seq' in e && e.seq > seqOf(completed, 'agent_completed'))
        ? { ...e, time: '2026-03-01T12:00:16.500Z' }
        : e,
    );
    expect(checkTranscript(events).figures).toMatchObject({
      longestGapMs: 16_500,
      silences: [{ afterType: 'delta', beforeType: 'agent_completed', ms: 16_500 }],
    });
  });

  test('a model may say what Candor may not', () => {
    const sorry = toValidTurn(script, new Map([['1/2/answer', ["I'm sorry, ", 'job 7 failed.']]]));
    expect(namesOf(sorry.events, sorry)).toEqual([]);
    expect(checkTranscript(sorry.events).violations).toMatchObject([{ name: 'banned_sentence' }]);
  });
});

describe('a planted violation is found by its name', () => {
  test.each(planted)('%s', (_, events, name) => {
    expect(namesOf(events)).toContain(name);
  });

  test('each name has a planted case', () => {
    expect(new Set(planted.map(([, , name]) => name))).toEqual(new Set(Object.keys(violationMeanings)));
  });
});

/** Each takes a turn and a number; `null` when it does not fit the turn or would leave it legal. */
type Mutation = (turn: ValidTurn, draw: number) => readonly TurnEvent[] | null;
const pick = <Item>(items: readonly Item[], draw: number): Item | null =>
  items[draw % Math.max(1, items.length)] ?? null;
const seqs = ({ events }: ValidTurn) => events.filter((e) => 'seq' in e);
const deltasOf = ({ events }: ValidTurn) =>
  events.filter((e) => e.type === 'delta').filter((d) => d.channel === 'answer');
const replaced = ({ events }: ValidTurn, event: TurnEvent, ...by: TurnEvent[]) =>
  events.toSpliced(events.indexOf(event), 1, ...by);

const mutations: Readonly<Record<string, Mutation>> = {
  'an event is lost': (turn, draw) => {
    const lost = pick(seqs(turn), draw);
    return lost === null ? null : dropped(turn, (e) => e === lost);
  },
  'an event did not happen': (turn, draw) => {
    const optional = ['turn_queued'];
    const steps = Math.max(...turn.events.filter((e) => e.type === 'agent_completed').map(({ step }) => step));
    const gone = pick(
      seqs(turn).filter((e) => !optional.includes(e.type) && !(e.type === 'agent_completed' && e.step < steps)),
      draw,
    );
    const isLastReply = gone?.type === 'agent_completed' && last(turn.events).type !== 'turn_completed';
    return gone === null || isLastReply ? null : without(turn.events, gone.seq);
  },
  'two events change places': (turn, draw) => {
    const all = seqs(turn);
    const first = pick(all.slice(0, -1), draw);
    const second = first === null ? undefined : all[first.seq];
    return first === null || second === undefined || first.type === second.type
      ? null
      : swapped(turn.events, first.seq);
  },
  'a delta in the middle is lost': (turn, draw) => {
    const deltas = deltasOf(turn);
    const lost = pick(
      deltas.filter((d) => deltas.some((e) => e.after === d.after && e.offset > d.offset)),
      draw,
    );
    return lost === null ? null : dropped(turn, (e) => e === lost);
  },
  'a delta is another text': (turn, draw) => {
    const delta = pick(deltasOf(turn), draw);
    return delta === null ? null : replaced(turn, delta, { ...delta, text: `${delta.text.slice(0, -1)}#` });
  },
  'a delta is too far on': (turn, draw) => {
    const delta = pick(deltasOf(turn), draw);
    return delta === null ? null : replaced(turn, delta, { ...delta, offset: delta.offset + 1 + (draw % 5) });
  },
  'a delta is appended a second time': (turn, draw) => {
    const delta = pick(deltasOf(turn), draw);
    if (delta === null) return null;
    const text = turn.upstream.map((u) => u.text).filter((t) => t.startsWith(delta.text, delta.offset));
    const end = delta.offset + delta.text.length;
    // Where the model repeats itself, this is what it said.
    if (text.some((t) => t.startsWith(delta.text, end))) return null;
    return replaced(turn, delta, delta, { ...delta, offset: end });
  },
  'another end follows': (turn) => {
    const end = last(turn.events);
    return [
      ...turn.events,
      end.type === 'turn_failed'
        ? { ...end, error: { ...end.error, attempt: 9 } }
        : { ...aFailure, seq: last(seqs(turn)).seq },
    ];
  },
  'an error takes the place of the end': (turn) =>
    last(turn.events).type === 'turn_completed'
      ? [...turn.events.slice(0, -1), { ...aFailure, seq: last(seqs(turn)).seq }]
      : null,
  'the reply is another text': (turn, draw) => {
    const reply = pick(
      turn.events.filter((e) => e.type === 'agent_completed'),
      draw,
    );
    return reply === null ? null : replaced(turn, reply, { ...reply, text: `${reply.text}.` });
  },
};

describe('any single mutation of a good turn is found', () => {
  test('a good turn has none, however it is told', () => {
    fc.assert(
      fc.property(anyValidTurn, (turn) => {
        expect(namesOf(turn.events, turn)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test.each(Object.keys(mutations))('%s', (name) => {
    const mutate = mutations[name] as Mutation;
    fc.assert(
      fc.property(anyValidTurn, fc.nat({ max: 1_000 }), (turn, draw) => {
        const events = mutate(turn, draw);
        fc.pre(events !== null);
        expect(namesOf(events as TurnEvent[], turn)).not.toEqual([]);
      }),
      { numRuns: 200, maxSkipsPerRun: 1_000 },
    );
  });
});
