// The process of the load: the model's server and the users' sockets.

import { randomUUID } from 'node:crypto';
import type { ConversationId, TurnId } from '../../src/protocol/ids.ts';
import { answer, createUpstream, type RecordedCall, type Upstream } from '../../testing/upstream/upstream.ts';
import { serveCalls } from './calls.ts';
import type { LoadCalls, TextCheck, TurnsOrder, TurnsReport } from './load.ts';
import { parseQuestion, toQuestion, toTokens } from './question.ts';
import { createSockets, type UserSocket } from './sockets.ts';
import { toLatencies, type TurnReading } from './turn-reader.ts';

interface MeasuredTurn {
  readonly turnId: TurnId;
  readonly question: string;
  /** The user's own socket first. */
  readonly readings: readonly TurnReading[];
}

const maxTurnMs = 180_000;

const upstream = await createUpstream();
upstream.chat.always((_nth, { messages }) => {
  const { tokens, paceMs } = parseQuestion(messages.at(-1)?.content ?? '');
  return answer(toTokens(tokens), paceMs === null ? {} : { paceMs });
});
const sockets = createSockets();

async function runTurns(order: TurnsOrder): Promise<TurnsReport> {
  const { target, turns, atOnce, moreReaders, latencies } = order;
  const users = await sockets.open(target, atOnce);
  const readers = await sockets.open({ ...target, agentId: target.agentId }, atOnce * (1 + moreReaders));
  const firstCall = upstream.calls.length;
  const before = { received: sockets.received, cpu: process.cpuUsage() };
  const measured: MeasuredTurn[] = [];
  let begun = 0;
  const beganAt = performance.now();
  await Promise.all(
    users.map(async (user, index) => {
      const others = readers.slice(atOnce + index * moreReaders, atOnce + (index + 1) * moreReaders);
      while (begun < turns) {
        begun += 1;
        measured.push(await runTurn(user, others, order));
      }
    }),
  );
  const tookMs = performance.now() - beganAt;
  const { user, system } = process.cpuUsage(before.cpu);
  const { frames, bytes } = sockets.received;
  const calls = callsByQuestion(upstream, firstCall);
  const callOf = ({ question }: MeasuredTurn): RecordedCall => {
    const call = calls.get(question);
    if (call === undefined) throw new Error(`unable to measure a turn; the model was not asked «${question}»`);
    return call;
  };
  return {
    turnIds: measured.map(({ turnId }) => turnId),
    tookMs,
    received: { frames: frames - before.received.frames, bytes: bytes - before.received.bytes },
    loadCpuMs: (user + system) / 1_000,
    turnMs: measured.flatMap(({ readings: [own] }) => (own === undefined ? [] : [own.endedAt - own.sentAt])),
    latenciesMs: latencies
      ? measured.flatMap((turn) => {
          const { written, writtenAt } = callOf(turn);
          return turn.readings.flatMap((reading) => toLatencies(reading, written, writtenAt));
        })
      : [],
    text: check(measured, callOf),
  };
}

async function runTurn(user: UserSocket, others: readonly UserSocket[], order: TurnsOrder): Promise<MeasuredTurn> {
  const turnId = randomUUID() as TurnId;
  const question = toQuestion(turnId, order);
  const own = user.message(turnId, randomUUID() as ConversationId, question);
  const readAll = async (): Promise<readonly TurnReading[]> => {
    await own.accepted;
    return Promise.all([own.ended, ...others.map((other) => other.resume(turnId).ended)]);
  };
  return { turnId, question, readings: await inTime(readAll(), turnId) };
}

/** A turn that never ends would keep a benchmark from saying so. */
async function inTime<Result>(work: Promise<Result>, turnId: TurnId): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`unable to measure turn ${turnId}; it has no end after ${maxTurnMs / 1_000} s`);
    timer = setTimeout(() => reject(error), maxTurnMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function callsByQuestion({ calls }: Upstream, first: number): ReadonlyMap<string, RecordedCall> {
  const own = calls.slice(first).filter(({ isJson }) => !isJson);
  return new Map(own.map((call) => [call.body.messages.at(-1)?.content ?? '', call]));
}

function check(measured: readonly MeasuredTurn[], callOf: (turn: MeasuredTurn) => RecordedCall): TextCheck {
  const sum = { characters: 0, lost: 0, doubled: 0, wrong: 0 };
  for (const turn of measured) {
    const wanted = callOf(turn).written.join('');
    for (const { text, lost, doubled } of turn.readings) {
      sum.characters += text.length;
      sum.lost += lost;
      sum.doubled += doubled;
      if (text !== wanted) sum.wrong += 1;
    }
  }
  return sum;
}

const served: LoadCalls = {
  start: async () => upstream.url,
  turns: runTurns,
};
serveCalls(served, async () => {
  sockets.close();
  await upstream.close();
});
