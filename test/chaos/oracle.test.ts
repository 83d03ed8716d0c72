// An oracle that finds nothing is none: each fault that chaos could bring about is planted, and found.

import { describe, expect, test } from '@jest/globals';
import type { TurnView } from '../../src/api/turn-view.ts';
import { isTerminal, type TurnEvent } from '../../src/protocol/events.ts';
import { toLogged } from '../../src/protocol/turn.ts';
import { answerOf, stateOf, toTranscript } from '../../src/protocol/transcript.ts';
import { toValidTurn, type ValidTurn } from '../testing/valid-turns.ts';
import { judge, type Evidence, type Verdict } from './oracle.ts';

const texts = new Map([
  ['1/1/answer', ['T1.1#0 ', 'T1.1#1 ']],
  ['1/2/answer', ['T1.2#0 ', 'T1.2#1 ', 'T1.2#2 ']],
]);
const script = { queuedBehind: 0, model: 'm', steps: [{ attempts: 2, completes: true }] };
const completed = toValidTurn({ ...script, end: 'completed' }, texts);
const failed = toValidTurn({ ...script, steps: [{ attempts: 1, completes: false }], end: 'failed' }, texts);

type Change = (evidence: Evidence) => Partial<Evidence>;

describe('the oracle', () => {
  test('finds nothing in a turn that ended well, answered or failed', () => {
    expect(judge(evidenceOf(completed))).toMatchObject({ outcome: 'completed', violations: [], wrongChars: 0 });
    expect(judge(evidenceOf(failed))).toMatchObject({
      outcome: 'failed',
      errorCode: 'llm_unavailable',
      violations: [],
    });
  });

  const planted: readonly (readonly [string, ValidTurn, Change, RegExp, Partial<Verdict>])[] = [
    [
      'no terminal',
      completed,
      ({ graph, views }) => ({
        readers: [readerOf(completed.events.slice(0, -1))],
        graph: graph && { ...graph, outcome: null },
        views,
      }),
      /no_terminal/,
      { lacksTerminal: true, isLost: true },
    ],
    [
      'two readers with two ends',
      completed,
      () => ({ readers: [readerOf(completed.events), readerOf(failed.events)] }),
      /different ends/,
      {},
    ],
    [
      'a piece that is shown twice',
      completed,
      () => ({ readers: [readerOf(withDoubledText(completed.events))] }),
      /reader 1: (doubled|reply_differs|not_upstream_text)/,
      {},
    ],
    [
      'the answer of a reply that was not finished',
      completed,
      ({ sent }) => ({ sent: sent.map((reply) => ({ ...reply, whole: false })) }),
      /text of 0 finished replies/,
      {},
    ],
    [
      'another answer in the graph',
      completed,
      ({ graph }) => ({ graph: graph && { ...graph, answer: 'T1.1#0 ' } }),
      /stored answer is not the one/,
      {},
    ],
    ['a turn that the graph does not know', completed, () => ({ graph: undefined }), /graph says nothing/, {}],
    [
      'a gateway that says something else',
      completed,
      ({ views }) => ({ views: views.map((view) => view && { ...view, state: 'running' as const }) }),
      /gateways say running/,
      {},
    ],
    [
      'an answer without verdict whose audit is over',
      completed,
      ({ graph }) => ({ graph: graph && { ...graph, verdicts: [] }, audit: 'COMPLETED' }),
      /no verdict/,
      {},
    ],
    [
      'a failed turn with a stored answer',
      failed,
      ({ graph }) => ({ graph: graph && { ...graph, answer: 'T1.1#0 ' } }),
      /the graph has an answer/,
      {},
    ],
    [
      'a failed turn that still shows its text',
      failed,
      () => ({ readers: [readerOf(withoutAgentFailed(failed.events))] }),
      /still shown/,
      {},
    ],
    [
      'a failed turn that is open in the graph',
      failed,
      ({ graph }) => ({ graph: graph && { ...graph, outcome: null } }),
      /it is open/,
      {},
    ],
    [
      'a silence',
      completed,
      () => ({ readers: [{ ...readerOf(completed.events), longestSilenceMs: 15_001 }] }),
      /without a word/,
      {},
    ],
  ];

  test.each(planted)('finds %s', (_name, turn, change, wanted, verdict) => {
    const evidence = evidenceOf(turn);
    const judged = judge({ ...evidence, ...change(evidence) });
    expect(judged.violations.join('\n')).toMatch(wanted);
    expect(judged).toMatchObject(verdict);
  });

  test('counts the characters that no reply has', () => {
    const evidence = evidenceOf(completed);
    const judged = judge({ ...evidence, readers: [readerOf(withDoubledText(completed.events))] });
    expect(judged.wrongChars).toBe('T1.2#2 '.length);
  });
});

const readerOf = (frames: readonly TurnEvent[]) => ({ frames, refusals: [], longestSilenceMs: 0 });

function evidenceOf({ events, upstream }: ValidTurn): Evidence {
  const transcript = toTranscript(events);
  const [first] = transcript.log;
  const terminal = transcript.log.find(isTerminal);
  if (first === undefined || terminal === undefined) throw new Error('unable to make evidence; the turn has no end');
  const isAnswered = terminal.type === 'turn_completed';
  const answer = isAnswered ? answerOf(transcript) : null;
  const error = terminal.type === 'turn_failed' ? terminal.error : null;
  const view = { state: stateOf(transcript), answer, error } as TurnView;
  return {
    turnId: first.turnId,
    readers: [readerOf(events)],
    sent: upstream,
    graph: {
      outcome: isAnswered ? 'completed' : 'failed',
      answer,
      log: transcript.log.map(toLogged),
      verdicts: isAnswered ? ['accepted'] : [],
    },
    views: [view, view],
    audit: isAnswered ? 'COMPLETED' : null,
    endedFromOutside: false,
  };
}

/** The last piece comes a second time, at the place behind itself, and in the whole text. */
function withDoubledText(events: readonly TurnEvent[]): readonly TurnEvent[] {
  const last = events.findLast((event) => event.type === 'delta');
  if (last === undefined) return events;
  const again = { ...last, offset: last.offset + last.text.length };
  return events.flatMap((event): TurnEvent[] => {
    if (event === last) return [event, again];
    return [event.type === 'agent_completed' ? { ...event, text: event.text + last.text } : event];
  });
}

const withoutAgentFailed = (events: readonly TurnEvent[]): readonly TurnEvent[] =>
  events
    .filter((event) => event.type !== 'agent_failed')
    .map((event) => (event.type === 'turn_failed' ? { ...event, seq: event.seq - 1 } : event));
