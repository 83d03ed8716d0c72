// What the model says in a run of cuts: about 400 tokens at 100 to 200 a second, cut into pieces as a tokenizer would
// never cut them, with pairs, marks and joiners at the seams. Each character stands in a text that says turn and call, so
// that one from elsewhere cannot hide.

import { answer, createUpstream, refuse, resetAfter, type Upstream } from '../../testing/upstream/upstream.ts';
import type { Random } from '../e2e/seeded-random.ts';

export interface CutReply {
  readonly answer: readonly string[];
  readonly reasoning: readonly string[];
  readonly paceMs: number;
  /** The connection breaks behind so many pieces of the answer; `null`: the reply is whole. */
  readonly breaksAfter: number | null;
}

export interface CutModel {
  readonly upstream: Upstream;
  /** @returns what to ask, so that these replies are given, the last one again and again */
  expect(label: string, replies: readonly CutReply[]): string;
  close(): Promise<void>;
}

const pattern = /Cut question (\w+):/g;

export async function createCutModel(): Promise<CutModel> {
  const upstream = await createUpstream();
  const expected = new Map<string, { readonly replies: readonly CutReply[]; calls: number }>();
  upstream.chat.always((_nth, { messages }) => {
    const asked = [...(messages.at(-1)?.content ?? '').matchAll(pattern)].at(-1)?.[1] ?? '';
    const turn = expected.get(asked);
    const reply = turn?.replies[Math.min(turn.calls, turn.replies.length - 1)];
    if (turn === undefined || reply === undefined) return refuse(500);
    turn.calls += 1;
    const { paceMs, reasoning, breaksAfter } = reply;
    if (breaksAfter === null) return answer(reply.answer, { paceMs, reasoning });
    return resetAfter(reply.answer.slice(0, breaksAfter), { paceMs, reasoning });
  });
  return {
    upstream,
    expect(label, replies) {
      expected.set(label, { replies, calls: 0 });
      return `Cut question ${label}: what is the state of the job?`;
    },
    close: () => upstream.close(),
  };
}

/** @param tokens of the answer, about */
export function drawReplies(label: string, tokens: number, random: Random): readonly CutReply[] {
  const failures = random() < 0.25 ? 1 + Math.floor(random() * 2) : 0;
  return Array.from({ length: failures + 1 }, (_, nth) => {
    const answer = drawPieces(`${label}.${nth}`, tokens, random);
    const reasoning = random() < 0.4 ? drawPieces(`${label}.${nth}?`, tokens / 4, random) : [];
    const breaksAfter = nth < failures ? Math.floor(random() * answer.length * 0.5) : null;
    return { answer, reasoning, paceMs: 5 + random() * 5, breaksAfter };
  });
}

/** Pairs, a family of joiners, marks that combine with what is before them, and ordinary words. */
const odd = ['🂡', '👩‍👩‍👧', 'e\u0301', 'a\u0308\u0323', 'läuft', '数据', ' – ', '\n', '**fett**', '`code`'];

function drawPieces(label: string, tokens: number, random: Random): readonly string[] {
  const text = Array.from(
    { length: Math.max(1, Math.floor(tokens)) },
    (_, n) => `${label}#${n}${odd[Math.floor(random() * odd.length)] ?? ''}`,
  ).join(' ');
  // By code points: a piece of JSON cannot hold half a pair, a mark may stand alone.
  const points = [...text];
  const pieces: string[] = [];
  for (let at = 0; at < points.length;) {
    const length = 1 + Math.floor(random() ** 3 * 24);
    pieces.push(points.slice(at, at + length).join(''));
    at += length;
  }
  return pieces;
}
