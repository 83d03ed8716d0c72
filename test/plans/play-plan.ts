// Plays one plan: writes the model's script, sends the message, strikes each fault at its moment and writes down in which
// phase of the turn it struck, waits until every reader has the end, and hands over what was seen.

import { createValve, type RecordedCall, type Valve } from '../../testing/upstream/upstream.ts';
import { questionOf, type Replies } from '../e2e/replies.ts';
import { newConversationId, newTurnId } from '../stack.ts';
import { createCourse } from './course.ts';
import { createLiar } from './liar.ts';
import { toBehaviour, type CallPlan } from './model-calls.ts';
import { sendOther, type OtherTurn } from './other-turns.ts';
import type { Fault, GatewayName, Moment, Plan } from './plan.ts';
import type { Played, ScriptedCall, Strike } from './played.ts';
import type { GraphFate, TurnAtThePorts } from './port-faults.ts';
import { createReader, type Reader } from './reader.ts';
import { askToStop, readLate, readView, untilClosed } from './requests.ts';
import type { Rig } from './rig.ts';

/** Nothing of a plan takes so long. */
const limitMs = 120_000;
/** Calls beyond the script, for turns whose worker was killed. */
const spareCalls = 4;

const unknownView: Played['view'] = { state: 'unknown', answer: null, error: null };
const spare: CallPlan = { kind: 'answers', chunks: ['once ', 'more'], reasoning: [] };

export async function playPlan(plan: Plan, rig: Rig, replies: Replies): Promise<Played> {
  const { upstream } = rig;
  const turnId = newTurnId();
  const conversationId = newConversationId();
  const question = questionOf(turnId);
  const course = createCourse();
  const strikes: Strike[] = [];
  const readers: Reader[] = [];
  const others: OtherTurn[] = [];
  const stuck: string[] = [];
  const killsBefore = rig.kills;
  const playing = new AbortController();
  let sentAtMs = 0;

  // ── The model ──
  const valves: Valve[] = [];
  const script: ScriptedCall[] = [];
  const behaviours = [...plan.calls, ...Array.from({ length: spareCalls }, () => spare)].map((call, index) => {
    const valve = createValve();
    const behaviour = toBehaviour(call, `${index + 1}·${turnId.slice(0, 8)}`, { valve });
    valves.push(valve);
    script.push({ plan: call, text: behaviour.kind === 'answer' ? behaviour.chunks.join('') : '' });
    return behaviour;
  });
  replies.to(question, ...(behaviours as [(typeof behaviours)[0], ...typeof behaviours]));

  // ── Strikes ──
  const struck = (fault: Fault, call: RecordedCall | null = null): void => {
    const index = plan.faults.indexOf(fault);
    if (strikes.some((strike) => strike.fault === index)) return;
    // Readers hear of a call later than the model server: its word counts while the call is open.
    const isStreaming = call !== null && call.closedAt === null && course.phase !== 'ended';
    const phase = isStreaming ? 'streaming' : course.phase;
    strikes.push({ fault: index, kind: fault.kind, phase, atMs: Math.round(performance.now() - sentAtMs) });
  };
  const at = (name: GatewayName) => () => rig.gateway(name);
  const other = (name: GatewayName): GatewayName => (name === 'near' ? 'far' : 'near');
  const message = { type: 'message', turnId, conversationId, text: question } as const;
  const addReader = (
    name: string,
    where: GatewayName,
    opening: Parameters<typeof createReader>[0]['opening'],
  ): Reader => {
    const reader = createReader({ name, gateway: at(where), turnId, opening, seen: course.observe });
    readers.push(reader);
    void reader.ended.then(() => course.end());
    return reader;
  };

  const strike = async (fault: Fault, call: RecordedCall | null): Promise<void> => {
    const [first, second] = readers;
    if (first === undefined) return;
    if (course.phase === 'ended' && !('moment' in fault && fault.moment.at === 'end')) return;
    await first.begun;
    struck(fault, call);
    switch (fault.kind) {
      case 'cut':
        first.cut(at(fault.back));
        if (fault.what === 'gateway') await rig.replaceFar();
        return;
      case 'stop':
        if (fault.by === 'request') await askToStop(rig, turnId);
        else (fault.by === 'first reader' ? first : (second ?? first)).send({ type: 'cancel', turnId });
        return;
      case 'sent twice':
        if (fault.where === 'same socket') first.send(message);
        else addReader('the device that sent it again', other(plan.home), message);
        return;
      case 'next message':
        others.push(sendOther(rig, conversationId, 'meanwhile', fault.busy));
        return;
      case 'leave':
        first.leave();
        void untilClosed(rig, turnId, playing.signal).then(() => course.end());
        return;
      case 'worker kill':
        return rig.killWorker(call);
      case 'graph':
      case 'lane':
    }
  };
  const due = (fits: (moment: Moment) => boolean): readonly Fault[] =>
    plan.faults.filter((fault) => 'moment' in fault && fits(fault.moment));
  const strikeAll = async (faults: readonly Fault[], call: RecordedCall | null = null): Promise<void> => {
    for (const fault of faults)
      if (!strikes.some((s) => s.fault === plan.faults.indexOf(fault))) await strike(fault, call);
  };

  /** Lets a call say its piece, and holds it where a fault is to strike. */
  const conduct = async (index: number): Promise<void> => {
    const valve = valves[index] as Valve;
    const call = await nthCall(rig, replies, question, index, course.ended);
    if (call === null) return valve.open();
    const { closed } = upstream.call(call.n);
    const { chunks, reasoning } = script[index]?.plan ?? spare;
    void upstream
      .call(call.n)
      .written(1)
      .then(() => course.wrote());
    valve.pass(reasoning.length);
    for (let chunk = 1; chunk <= chunks.length; chunk++) {
      const faults = due((m) => m.at === 'chunk' && m.call === index + 1 && m.chunk === chunk);
      valve.pass(1);
      if (faults.length === 0) continue;
      await Promise.race([upstream.call(call.n).written(chunk), closed, course.ended]);
      course.wrote();
      await strikeAll(faults, call);
      if (faults.some(holds)) return;
    }
    valve.open();
  };

  const ports: TurnAtThePorts = {
    async graphCalled(method): Promise<GraphFate> {
      if (method === 'foresee' || method === 'linkTurn') course.linking();
      // The audit reads the prompt too, behind the turn.
      if (course.phase === 'ended') return 'good';
      await strikeAll(due((m) => m.at === 'graph' && m.method === method));
      const fault = plan.faults.find((f) => f.kind === 'graph' && f.method === method);
      if (fault?.kind !== 'graph') return 'good';
      const index = plan.faults.indexOf(fault);
      const used = graphFaults.get(index) ?? 0;
      if (used >= fault.times) return 'good';
      graphFaults.set(index, used + 1);
      struck(fault);
      if (fault.how === 'slow') return { lateMs: 400 * fault.times };
      return fault.how;
    },
    published(event, publish) {
      course.observe(event);
      if (lie === null) publish(event);
      else lie(event, publish);
    },
  };
  const graphFaults = new Map<number, number>();
  const lane = plan.faults.find((fault) => fault.kind === 'lane');
  const lie = lane?.kind === 'lane' ? createLiar(lane.seed, () => struck(lane)) : null;
  rig.attach(turnId, ports);

  // ── The turn ──
  sentAtMs = performance.now();
  const first = addReader('the first reader', plan.home, message);
  const isLeft = plan.faults.some((fault) => fault.kind === 'leave');
  const working = [
    ...script.map((_, index) => conduct(index)),
    first.begun.then(() => strikeAll(due((m) => m.at === 'sent'))),
    ...plan.faults.map(async (fault) => {
      if (!('moment' in fault) || (fault.moment.at !== 'event' && fault.moment.at !== 'end')) return;
      if (await course.reached(fault.moment)) await strikeAll([fault]);
    }),
    ...(isLeft
      ? []
      : [
          course.reached({ at: 'event', type: 'turn_accepted', nth: 1 }).then(() => {
            addReader('the second reader', other(plan.home), { type: 'resume', turnId });
          }),
        ]),
  ];
  const inTime = async (what: string, work: Promise<unknown>): Promise<void> => {
    if (!(await endsWithin(work, limitMs))) stuck.push(what);
  };
  await inTime('the turn', course.ended);
  if (stuck.length === 0) {
    await inTime('a fault', Promise.all(working));
    for (const reader of readers) if (!isLeft || reader !== first) await inTime(reader.name, reader.ended);
    for (const { role, reader } of others) await inTime(`the message ${role}`, reader.ended);
    if (plan.afterwards) {
      const next = sendOther(rig, conversationId, 'afterwards');
      others.push(next);
      await inTime('the message afterwards', next.reader.ended);
    }
    for (const reader of readers) await inTime(`what ${reader.name} was still to be sent`, reader.settle());
  }
  playing.abort();
  for (const valve of valves) valve.open();
  const everyone = [...readers, ...others.map(({ reader }) => reader)];
  const isStuck = stuck.length > 0;
  const late = isStuck ? [] : await readLate(rig, turnId);
  // Behind the late readers: a gateway without readers hears of an end a little later than the engine says it.
  const view = isStuck ? unknownView : await readView(rig, turnId);
  const stored = isStuck ? null : await rig.gateway('near').candor.graph.turn(turnId);
  for (const reader of everyone) reader.stop();

  const calls = replies.calls(question);
  for (const { n } of calls) await endsWithin(upstream.call(n).closed, 10_000);
  return {
    plan,
    turnId,
    strikes,
    missed: plan.faults.filter(
      (fault, index) =>
        !hit(
          fault,
          strikes.find((s) => s.fault === index),
        ),
    ),
    readers: isLeft ? readers.slice(1) : readers,
    others,
    late,
    view,
    stored,
    calls,
    script,
    kills: rig.kills - killsBefore,
    stuck,
  };
}

const holds = (fault: Fault): boolean => fault.kind === 'worker kill' || (fault.kind === 'stop' && fault.held);

function hit(fault: Fault, strike: Strike | undefined): boolean {
  if (strike === undefined) return false;
  return strike.phase !== 'ended' || ('moment' in fault && fault.moment.at === 'end');
}

/** The call for a question by its index from 0; `null` when the turn ended without it. */
async function nthCall(
  { upstream }: Rig,
  replies: Replies,
  question: string,
  index: number,
  ended: Promise<void>,
): Promise<RecordedCall | null> {
  let isOver = false;
  void ended.then(() => (isOver = true));
  for (;;) {
    const next = upstream.nextCall();
    const found = replies.calls(question)[index];
    if (found !== undefined) return found;
    if (isOver) return null;
    await Promise.race([next, ended]);
  }
}

async function endsWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), Math.max(ms, 0))));
  try {
    return await Promise.race([work.then(() => true as const), late]);
  } finally {
    clearTimeout(timer);
  }
}
