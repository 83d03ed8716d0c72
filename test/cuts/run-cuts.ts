// Cuts the connections of many readers at random moments, lets each resume by its cursor at a random gateway, and judges
// every turn. Redis is struck during some of the cuts. Everything is drawn by the seed; what the machine makes of it is
// its own.

import { setTimeout as delay } from 'node:timers/promises';
import { createSeededRandom, type Random } from '../e2e/seeded-random.ts';
import { newConversationId, newTurnId } from '../stack.ts';
import { readGraph } from '../chaos/truth.ts';
import { drawReplies, type CutReply } from './cut-model.ts';
import { createCutReader, type Cut, type CutReader, type Connection } from './cut-reader.ts';
import type { CutSite } from './cut-site.ts';
import { judgeCuts, type CutVerdict } from './judge-cuts.ts';
import { redisFaults, strikeRedis, type RedisFault } from './redis-faults.ts';
import { upstreamTexts } from '../../testing/upstream-texts.ts';

export interface CutsOptions {
  readonly site: CutSite;
  readonly seed: number;
  /** Connections to break, at least. */
  readonly cuts: number;
  /** Of these with a strike at Redis, at least; 0 without one. */
  readonly redisCuts: number;
  /** Turns that run at once. */
  readonly atOnce: number;
  /** Of an answer, about. */
  readonly tokens: number;
  readonly onTurn?: (turn: CutTurn) => void;
}

export interface CutTurn extends CutVerdict {
  readonly label: string;
  readonly readers: number;
  readonly cuts: Readonly<Record<Cut['kind'], number>>;
  readonly resumes: Readonly<Record<Connection['transport'], number>>;
  readonly strikes: Readonly<Record<RedisFault, number>>;
}

export async function runCuts(options: CutsOptions): Promise<readonly CutTurn[]> {
  const { site, seed, cuts, redisCuts, atOnce } = options;
  const turns: CutTurn[] = [];
  const counts = { cuts: 0, strikes: 0 };
  let begun = 0;
  let striking: Promise<void> | null = null;
  const faults = Object.keys(redisFaults) as RedisFault[];
  const strikeRandom = createSeededRandom(seed);

  /** Begins a strike when one is due; the cut and the resume happen while it lasts. */
  const strike = (): RedisFault | null => {
    const isDue = counts.strikes * cuts < counts.cuts * redisCuts;
    const fault = faults[counts.strikes % faults.length];
    if (site.redis === null || !isDue || striking !== null || fault === undefined) return null;
    counts.strikes += 1;
    striking = strikeRedis(site.redis, fault, strikeRandom).finally(() => (striking = null));
    return fault;
  };
  const isEnough = (): boolean => counts.cuts >= cuts && (site.redis === null || counts.strikes >= redisCuts);

  const playInTurn = async (): Promise<void> => {
    while (!isEnough()) {
      begun += 1;
      const turn = await playTurn(options, begun, {
        strike,
        cut: () => (counts.cuts += 1),
      });
      turns.push(turn);
      options.onTurn?.(turn);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, playInTurn));
  await (striking ?? Promise.resolve());
  return turns;
}

/** A turn takes seconds. */
const limitMs = 90_000;

interface Course {
  readonly strike: () => RedisFault | null;
  readonly cut: () => void;
}

async function playTurn({ site, seed, tokens }: CutsOptions, n: number, course: Course): Promise<CutTurn> {
  const random = createSeededRandom(seed * 100_003 + n);
  const label = `s${seed}t${n}`;
  const replies = drawReplies(label, tokens * (0.7 + random() * 0.6), random);
  const question = site.model.expect(label, replies);
  const [turnId, conversationId] = [newTurnId(), newConversationId()];
  const common = { turnId, gateways: site.gateways, token: site.token };
  const tally = {
    cuts: { reset: 0, leave: 0, bytes: 0 },
    resumes: { socket: 0, sse: 0 },
    strikes: { kill: 0, wipe: 0, pause: 0 },
  };

  /** @param began called once, when the turn is known to be there */
  const readToEnd = async (reader: CutReader, began?: () => void): Promise<void> => {
    let isKnown = false;
    const cutsLeft = 2 + Math.floor(random() * 5);
    const untilMs = Date.now() + limitMs;
    for (let nth = 0; !reader.hasEnded; nth++) {
      // Judged as it is: a reader without an end is a violation.
      if (Date.now() > untilMs) return;
      const connection = draw(random, nth < cutsLeft);
      if (nth > 0) tally.resumes[connection.transport] += 1;
      const isCut = await reader.read(connection);
      if (!isKnown && reader.transcript.log.length > 0) {
        isKnown = true;
        began?.();
      }
      if (isCut && connection.cut !== null) {
        tally.cuts[connection.cut.kind] += 1;
        course.cut();
        const fault = course.strike();
        if (fault !== null) tally.strikes[fault] += 1;
      }
      if (!reader.hasEnded) await delay(drawAwayMs(random));
    }
    // Who has the end and asks again has nothing to be told.
    if (random() < 0.2) await reader.read({ gateway: n, transport: 'sse', cut: null });
  };

  const sender = createCutReader({ ...common, message: { conversationId, text: question } });
  const readers = [sender];
  const others: Promise<void>[] = [];
  const join = (): Promise<void> => {
    const other = createCutReader({ ...common, message: null });
    readers.push(other);
    return readToEnd(other);
  };
  const isWatched = random() < 0.5;
  const joinAfterMs = random() * 3_000;
  await readToEnd(sender, () => {
    if (isWatched) others.push(delay(joinAfterMs).then(join));
  });
  await Promise.all(others);
  // Long finished, for these gateways: it is told from what is kept.
  if (random() < 0.4) await join();

  const graph = (await readGraph(site, [turnId])).get(turnId);
  const sent = upstreamTexts(
    site.model.upstream.calls.filter(({ body }) => body.messages.at(-1)?.content.includes(question) === true),
  );
  const verdict = judgeCuts({ turnId, readers, sent, reply: toText(replies.at(-1)), graph });
  return { label, readers: readers.length, ...tally, ...verdict };
}

const toText = (reply: CutReply | undefined) => ({
  answer: reply?.answer.join('') ?? '',
  reasoning: reply?.reasoning.join('') ?? '',
});

/** @param isCut false: it is read to the end */
function draw(random: Random, isCut: boolean): Connection {
  const gateway = Math.floor(random() * 2);
  const transport = random() < 0.6 ? 'socket' : 'sse';
  return { gateway, transport, cut: isCut ? drawCut(random) : null };
}

function drawCut(random: Random): Cut {
  const fate = random();
  // From within the handshake to some seconds of text.
  if (fate < 0.45) return { kind: 'bytes', bytes: Math.floor(50 + random() ** 2 * 30_000) };
  return { kind: fate < 0.8 ? 'reset' : 'leave', afterMs: Math.floor(random() ** 2 * 2_500) };
}

/** Mostly back at once; sometimes a while later. */
const drawAwayMs = (random: Random): number => Math.floor(random() < 0.7 ? random() * 60 : random() * 1_500);
