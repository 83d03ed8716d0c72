// Judges a plan that was played. What is true is said by the model server, which knows what it wrote, and by the graph;
// the receipt is only asked whether it agrees. An answer is the exact text of one finished reply, or there is an explicit
// error; never both, never neither, and every reader has the same.

import { toCanonicalJson } from '../../src/protocol/canonical.ts';
import { isTerminal, type TerminalEvent } from '../../src/protocol/events.ts';
import { errorCatalogue } from '../../src/protocol/errors.ts';
import { defaultRetry } from '../../src/protocol/limits.ts';
import { answerOf, terminalOf, toTranscript, type Transcript } from '../../src/protocol/transcript.ts';
import type { RecordedCall } from '../../testing/upstream/upstream.ts';
import { checkTranscript, type UpstreamText } from '../../testing/transcript-checker.ts';
import { otherAnswer } from './other-turns.ts';
import { callRows } from './model-calls.ts';
import type { Fault, Plan } from './plan.ts';
import type { Played } from './played.ts';

/** What is wrong, one sentence each; none when the plan was survived. */
export function judge(played: Played): readonly string[] {
  if (played.stuck.length > 0)
    return played.stuck.map((who) => `neither an answer nor an error: ${who} waits for ever`);
  const wrong: string[] = [];
  const say = (problem: string): void => void wrong.push(problem);
  const late = played.late.map(({ events }) => toTranscript(events));
  const truth = late[0] as Transcript;
  const terminal = terminalOf(truth);
  if (terminal === null) return ['the turn is over and its end is not told'];

  checkReaders(played, truth, say);
  checkCalls(played, terminal, truth, say);
  switch (terminal.type) {
    case 'turn_completed':
      checkCompleted(played, terminal, truth, say);
      break;
    case 'turn_failed':
      checkFailed(played, terminal, truth, say);
      break;
    case 'turn_cancelled':
      checkCancelled(played, terminal, truth, say);
  }
  checkPrediction(played, terminal, say);
  checkOthers(played, say);
  return wrong;
}

type Say = (problem: string) => void;

/** The text that a call was to say, and whether the model server finished it. */
const textOf = ({ script }: Played, index: number): UpstreamText => ({ text: script[index]?.text ?? '', whole: true });

function upstreamTexts(played: Played): readonly UpstreamText[] {
  return played.calls.map((call, index) => ({ ...textOf(played, index), whole: isFinished(played, call, index) }));
}

/** The server sent a finish reason of a good end. */
function isFinished({ script }: Played, call: RecordedCall, index: number): boolean {
  const scripted = script[index];
  if (scripted === undefined || callRows[scripted.plan.kind].ends.kind !== 'answered') return false;
  const wroteAll = call.written.join('') === scripted.text;
  return wroteAll && (call.endedAt !== null || scripted.plan.kind === 'answers and never closes');
}

function checkReaders(played: Played, truth: Transcript, say: Say): void {
  const upstream = upstreamTexts(played);
  const { turnId } = played;
  const check = (name: string, frames: Parameters<typeof checkTranscript>[0]): void => {
    for (const { name: violation, detail } of checkTranscript(frames, { turnId, upstream }).violations) {
      say(`${name}: ${violation}: ${detail}`);
    }
  };
  for (const { name, transcript, terminals, frames } of played.readers) {
    if (terminals !== 1) say(`${name} was told ${terminals} ends`);
    const isResumed = frames.filter(({ type }) => type === 'hello').length > 1;
    if (!isSame(transcript, truth, isResumed)) say(`${name} ended with another transcript than a late reader`);
    check(name, frames);
  }
  for (const { name, events } of played.late) {
    const ends = events.filter(isTerminal).length;
    if (ends !== 1) say(`${name} was told ${ends} ends`);
    if (!isSame(toTranscript(events), truth)) say(`${name} reads another transcript`);
    check(name, events);
  }
}

/**
 * Reasoning has no hash: what a lane lost of it is missing. A cursor does not say which provisional events it counted:
 * whoever resumed at another gateway may keep the times of a workflow task that was done again.
 */
function isSame(one: Transcript, two: Transcript, butForTimes = false): boolean {
  const toText = ({ log, streams }: Transcript): string =>
    toCanonicalJson([
      butForTimes ? log.map((event) => ({ ...event, time: null, retryAt: null })) : log,
      streams.filter((s) => s.channel === 'answer' && s.text !== ''),
    ]);
  return toText(one) === toText(two);
}

function checkCalls(played: Played, terminal: TerminalEvent, { log }: Transcript, say: Say): void {
  const { calls, kills, plan } = played;
  const attempts = log.filter((event) => event.type === 'agent_thinking').length;
  if (attempts > defaultRetry.maxAttempts) say(`${attempts} tries were announced`);
  if (calls.length > defaultRetry.maxAttempts + kills) say(`the model was called ${calls.length} times`);
  if (kills === 0 && !isStopped(plan) && calls.length !== attempts) {
    say(`${attempts} tries were announced, the model was called ${calls.length} times`);
  }
  if (calls.length > attempts) say(`the model was called ${calls.length} times in ${attempts} tries`);
  for (const [index, call] of calls.entries()) {
    const isOpen = call.endedAt === null && call.closedAt === null && !breaksItself(played, index);
    if (isOpen) say(`call ${index + 1} is still open at the model server`);
  }
  const said = terminal.receipt?.attempts.length;
  if (said !== undefined && said < calls.length)
    say(`the receipt lists ${said} tries, the model was called ${calls.length} times`);
}

const breaksItself = ({ script }: Played, index: number): boolean =>
  ['resets the connection', 'closes before the answer', 'closes behind the headers'].includes(
    script[index]?.plan.kind ?? '',
  );

const isStopped = (plan: Plan): boolean =>
  plan.faults.some(
    ({ kind, ...fault }) =>
      kind === 'stop' || (kind === 'next message' && 'busy' in fault && fault.busy === 'interrupt'),
  );

function checkCompleted(
  played: Played,
  { receipt }: Extract<TerminalEvent, { type: 'turn_completed' }>,
  truth: Transcript,
  say: Say,
): void {
  const answer = answerOf(truth);
  const finished = upstreamTexts(played).filter(({ whole, text }) => whole && text === answer);
  if (finished.length !== 1)
    say(`the answer is the text of ${finished.length} finished replies: ${JSON.stringify(answer)}`);
  const last = played.calls.length - 1;
  if (textOf(played, last).text !== answer) say('the answer is not that of the last call');
  const { view, stored } = played;
  if (view.state !== 'completed') say(`REST says ${view.state}`);
  if (view.answer !== answer) say(`REST answers ${JSON.stringify(view.answer)}`);
  if (view.error !== null) say(`an answer and the error ${view.error.code}`);
  const kept = stored?.steps.map(({ text }) => text).join('');
  if (kept !== answer) say(`the graph keeps ${JSON.stringify(kept)}`);
  if (stored?.result?.outcome !== 'completed') say(`the graph says ${stored?.result?.outcome ?? 'nothing'}`);
  const ends = callRows[played.script[last]?.plan.kind ?? 'answers'].ends;
  if (ends.kind === 'answered' && ends.incomplete !== receipt.incomplete)
    say(`the receipt says incomplete: ${receipt.incomplete}`);
}

function checkFailed(
  played: Played,
  { error }: Extract<TerminalEvent, { type: 'turn_failed' }>,
  truth: Transcript,
  say: Say,
): void {
  const { calls, script, view, stored, kills } = played;
  const last = script[calls.length - 1];
  const ends = last === undefined || calls.length === 0 ? null : callRows[last.plan.kind].ends;
  const fitting = [...(ends?.kind === 'failed' ? [ends.code] : []), ...(kills > 0 ? ['worker_lost'] : [])];
  if (!fitting.includes(error.code))
    say(`failed with ${error.code}; what happened is ${fitting.join(' or ') || 'no failure'}`);
  const attempts = truth.log.filter((event) => event.type === 'agent_thinking').length;
  const triedAgain =
    ends?.kind === 'failed' && ends.code === error.code ? ends.triedAgain : errorCatalogue[error.code].retryable;
  if (triedAgain && attempts !== defaultRetry.maxAttempts) say(`failed with ${error.code} after ${attempts} tries`);
  const shown = truth.streams.filter(({ text }) => text !== '');
  if (shown.length > 0) say(`an error, and ${JSON.stringify(shown[0]?.text)} is still shown`);
  if (view.state !== 'failed') say(`REST says ${view.state}`);
  if (view.answer !== null) say(`an error and the answer ${JSON.stringify(view.answer)}`);
  if (view.error?.code !== error.code) say(`REST says the error ${view.error?.code ?? 'none'}`);
  if ((stored?.steps.length ?? 0) > 0) say('an error, and the graph keeps a text');
  if (stored?.result?.outcome !== 'failed') say(`the graph says ${stored?.result?.outcome ?? 'nothing'}`);
}

function checkCancelled(
  played: Played,
  { by, receipt }: Extract<TerminalEvent, { type: 'turn_cancelled' }>,
  truth: Transcript,
  say: Say,
): void {
  const { plan, view, stored, calls, strikes } = played;
  const struck = strikes.map(({ fault }) => plan.faults[fault]);
  const asked = [
    ...(struck.some((fault) => fault?.kind === 'stop') ? ['user'] : []),
    ...(struck.some((fault) => fault?.kind === 'next message' && fault.busy === 'interrupt') ? ['interrupt'] : []),
  ];
  if (!asked.includes(by)) say(`stopped by ${by}; it was ${asked.join(' or ') || 'nobody'}`);
  const answer = answerOf(truth);
  const { text } = textOf(played, calls.length - 1);
  if (answer !== '' && !text.startsWith(answer))
    say(`the stopped text is no beginning of what the model said: ${JSON.stringify(answer)}`);
  if (view.state !== 'cancelled') say(`REST says ${view.state}`);
  if ((view.answer ?? '') !== answer)
    say(`REST answers ${JSON.stringify(view.answer)}, readers have ${JSON.stringify(answer)}`);
  if (view.error !== null) say(`a stop and the error ${view.error.code}`);
  const kept = stored?.steps.map((step) => step.text).join('') ?? '';
  if (kept !== answer) say(`the graph keeps ${JSON.stringify(kept)}, readers have ${JSON.stringify(answer)}`);
  if (answer !== '' && !receipt.incomplete) say('a stopped text is not marked incomplete');
  // A turn that was stopped before it was linked is not part of its conversation.
  const isLinked = truth.log.some((event) => event.type === 'agent_started' || event.type === 'turn_queued');
  if (stored?.result?.outcome !== 'cancelled' && (isLinked || stored !== null))
    say(`the graph says ${stored?.result?.outcome ?? 'nothing'}`);
}

/** The model server waits behind every piece but the last one: behind that it ends its reply. */
const isHeld = ({ calls }: Plan, { held, moment }: Extract<Fault, { kind: 'stop' }>): boolean =>
  held && moment.at === 'chunk' && moment.chunk < (calls[moment.call - 1]?.chunks.length ?? 0);

/** Without a person or a kill in between, the script alone says how the turn ends and how often it tries. */
function checkPrediction({ plan, calls, kills, strikes }: Played, terminal: TerminalEvent, say: Say): void {
  const stop = plan.faults.findIndex((fault) => fault.kind === 'stop' && isHeld(plan, fault));
  const stopped = strikes.find(({ fault }) => fault === stop);
  if (stopped !== undefined && stopped.phase !== 'ended' && kills === 0 && terminal.type !== 'turn_cancelled') {
    say(`stopped while the model held its breath, and ended with ${terminal.type}`);
  }
  if (isStopped(plan) || kills > 0) return;
  const index = plan.calls.findIndex(({ kind }) => {
    const { ends } = callRows[kind];
    return ends.kind === 'answered' || !ends.triedAgain;
  });
  const expectedCalls = index === -1 ? defaultRetry.maxAttempts : index + 1;
  const { ends } = callRows[plan.calls[expectedCalls - 1]?.kind ?? 'answers'];
  const expected = ends.kind === 'answered' ? 'turn_completed' : 'turn_failed';
  if (terminal.type !== expected) say(`ended with ${terminal.type}, its script says ${expected}`);
  if (calls.length !== expectedCalls)
    say(`the model was called ${calls.length} times, its script says ${expectedCalls}`);
}

function checkOthers({ others, plan }: Played, say: Say): void {
  for (const { turnId, role, reader } of others) {
    const { transcript, terminals, frames } = reader;
    const name = `the message ${role}`;
    const mayBeRefused =
      role === 'meanwhile' && plan.faults.some((f) => f.kind === 'next message' && f.busy === 'reject');
    if (terminals !== 1) say(`${name} was told ${terminals} ends`);
    const terminal = terminalOf(transcript);
    const isRefused = mayBeRefused && terminal?.type === 'turn_failed' && terminal.error.code === 'conversation_busy';
    if (terminal?.type !== 'turn_completed' && !isRefused) {
      say(
        `${name} ended with ${terminal?.type ?? 'nothing'} ${terminal?.type === 'turn_failed' ? terminal.error.code : ''}`,
      );
    }
    const text = otherAnswer(turnId);
    if (terminal?.type === 'turn_completed' && answerOf(transcript) !== text)
      say(`${name} was answered ${JSON.stringify(answerOf(transcript))}`);
    for (const { name: violation, detail } of checkTranscript(frames, { turnId, upstream: [{ text, whole: true }] })
      .violations) {
      say(`${name}: ${violation}: ${detail}`);
    }
  }
}
