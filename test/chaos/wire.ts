// The model of a chaos run: the wire server in the harness's own process, so that its log is beyond the reach of every
// fault. Each call of each turn has a text of its own, and each piece of it says turn, call and place: a character that
// is shown twice, or in another turn's answer, cannot hide.

import {
  answer,
  createUpstream,
  createValve,
  refuse,
  type Behaviour,
  type RecordedCall,
  type Upstream,
  type Valve,
} from '../../testing/upstream/upstream.ts';
import type { UpstreamText } from '../../testing/transcript-checker.ts';

export interface CallPlan {
  readonly chunks: number;
  readonly paceMs: number;
  /** The first call is refused and asks for this pause. */
  readonly refuseFirstForSeconds: number | null;
  /** Chunks of the first call that pass before `release`; `null`: all. */
  readonly firstPasses: number | null;
  /** The auditor's first call waits for `releaseAudit`. */
  readonly holdAudit: boolean;
}

export interface WireTurn {
  readonly question: string;
  /** Pieces of each of its replies. */
  readonly chunks: number;
  /** Chat calls in the order of arrival. */
  readonly calls: readonly RecordedCall[];
  readonly auditCalls: readonly RecordedCall[];
  /** Texts of all calls as far as they were sent. */
  readonly sent: readonly UpstreamText[];
  /** Lets the first call go on. */
  release(): void;
  releaseAudit(): void;
}

export interface Wire {
  readonly upstream: Upstream;
  /** @param label letters and digits, one for each turn of a run */
  expect(label: string, plan: CallPlan): WireTurn;
  close(): Promise<void>;
}

interface Expected {
  readonly plan: CallPlan;
  readonly valve: Valve;
  readonly auditValve: Valve;
  readonly calls: number[];
  readonly auditCalls: number[];
}

const toQuestion = (label: string): string => `Chaos question ${label}: what is the state of the job?`;
const labelPattern = /Chaos question (\w+):/g;
const verdict = JSON.stringify({ isIncorrect: false, confidence: 0.1, reason: 'the answer is of its own call' });

export async function createWire(): Promise<Wire> {
  const upstream = await createUpstream();
  const expected = new Map<string, Expected>();

  const find = (messages: readonly { readonly content: string }[]): readonly [string, Expected] | null => {
    const found = [
      ...messages
        .map(({ content }) => content)
        .join('\n')
        .matchAll(labelPattern),
    ].at(-1)?.[1];
    const turn = found === undefined ? undefined : expected.get(found);
    return found === undefined || turn === undefined ? null : [found, turn];
  };
  upstream.chat.always((_nth, { messages }) => {
    const found = find(messages.filter(({ role }) => role === 'user'));
    if (found === null) return refuse(500);
    const [label, { plan, valve, calls }] = found;
    // The record of this call is made right behind this.
    const nth = calls.push(upstream.calls.length);
    return toBehaviour(label, nth, plan, valve);
  });
  upstream.audit.always((_nth, { messages }) => {
    const found = find(messages);
    if (found === null) return refuse(500);
    const [, { plan, auditValve, auditCalls }] = found;
    const nth = auditCalls.push(upstream.calls.length);
    return answer(verdict, plan.holdAudit && nth === 1 ? { valve: auditValve } : {});
  });

  return {
    upstream,
    expect(label, plan) {
      const turn: Expected = { plan, valve: createValve(), auditValve: createValve(), calls: [], auditCalls: [] };
      if (plan.firstPasses !== null) turn.valve.pass(plan.firstPasses);
      expected.set(label, turn);
      const recorded = (indexes: readonly number[]): RecordedCall[] =>
        indexes.flatMap((index) => upstream.calls[index] ?? []);
      return {
        question: toQuestion(label),
        chunks: plan.chunks,
        get calls() {
          return recorded(turn.calls);
        },
        get auditCalls() {
          return recorded(turn.auditCalls);
        },
        get sent() {
          return recorded(turn.calls).map((call) => ({
            text: call.written.join(''),
            whole: call.endedAt !== null && call.written.length === plan.chunks,
          }));
        },
        release: () => turn.valve.open(),
        releaseAudit: () => turn.auditValve.open(),
      };
    },
    close: () => upstream.close(),
  };
}

function toBehaviour(label: string, nth: number, plan: CallPlan, valve: Valve): Behaviour {
  if (nth === 1 && plan.refuseFirstForSeconds !== null) {
    return refuse(
      503,
      { error: { message: 'overloaded', type: 'server_error', code: null } },
      {
        'retry-after': String(plan.refuseFirstForSeconds),
      },
    );
  }
  const gate = nth === 1 && plan.firstPasses !== null ? { valve } : {};
  return answer(toChunks(label, nth, plan.chunks), { paceMs: plan.paceMs, ...gate });
}

/** Pieces with characters of one to four bytes; a surrogate pair stands at every seam. */
const toChunks = (label: string, nth: number, chunks: number): readonly string[] =>
  Array.from({ length: chunks }, (_, index) => `🂡${label}.${nth}#${index} läuft – `);
