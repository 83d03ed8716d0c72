// How a turn ended, against what the model server really sent: the answer is its exact text or there is an explicit
// error, never both and never neither.

import { createHash } from 'node:crypto';
import { errorCatalogue, isErrorCode } from '../../src/protocol/errors.ts';
import type { AgentCompleted, SequencedEvent } from '../../src/protocol/events.ts';
import { answerOf, terminalOf, type Transcript } from '../../src/protocol/transcript.ts';
import { findBannedSentence } from '../banned-sentences.ts';
import { quote, type ShownText } from './arrivals.ts';
import type { Report } from './violation.ts';

/** The text of one reply as the model server wrote it to the socket. */
export interface UpstreamText {
  readonly text: string;
  /** Whether the server finished the reply: a finish reason was sent. */
  readonly whole: boolean;
}

interface Reading {
  readonly transcript: Transcript;
  readonly shown: readonly ShownText[];
}

export function checkOutcome(reading: Reading, upstream: readonly UpstreamText[] | undefined, tell: Report): void {
  const { log } = reading.transcript;
  for (const event of log) {
    if (event.type === 'agent_completed') checkReply(event, reading, upstream, tell);
    if (event.type === 'attempt_failed') checkDiscarded(event, reading, tell);
  }
  for (const stream of reading.transcript.streams) {
    const failed = log.some(
      (e) => e.type === 'attempt_failed' && e.step === stream.step && e.attempt === stream.attempt,
    );
    if (failed && stream.text !== '') {
      tell('discarded_text_shown', `${stream.step}/${stream.attempt} failed and shows ${quote(stream.text)}`);
    }
  }
  if (upstream !== undefined) checkShown(reading, upstream, tell);
  checkEnd(reading.transcript, tell);
}

function checkReply(
  event: AgentCompleted,
  { shown }: Reading,
  upstream: readonly UpstreamText[] | undefined,
  tell: Report,
): void {
  const { step, attempt, text } = event;
  const place = `agent_completed ${step}/${attempt}`;
  if (sha256(text) !== event.sha256) tell('sha256', `${place} says ${event.sha256}, its text has ${sha256(text)}`);
  const built = shown.find((s) => s.step === step && s.attempt === attempt && s.channel === 'answer')?.text ?? '';
  if (!text.startsWith(built)) {
    const name = isDoubled(built, text) ? 'doubled' : 'reply_differs';
    tell(name, `${place} says ${quote(text)}, deltas had ${quote(built)}`);
  }
  const isReal = upstream === undefined || upstream.some((reply) => reply.whole && reply.text === text);
  if (!isReal) tell('not_upstream_text', `${place} says ${quote(text)}; the model server finished no such reply`);
  const banned = findBannedSentence(text);
  if (banned !== null && (upstream === undefined || !isReal)) tell('banned_sentence', `${place} says «${banned}»`);
}

function checkDiscarded(
  event: Extract<SequencedEvent, { type: 'attempt_failed' }>,
  { shown }: Reading,
  tell: Report,
): void {
  const seen = shown
    .filter((s) => s.step === event.step && s.attempt === event.attempt)
    .reduce((sum, { text }) => sum + text.length, 0);
  if (event.atLeast === true || seen <= event.discardedChars) return;
  tell('discarded_count', `attempt ${event.step}/${event.attempt} showed ${seen}, says ${event.discardedChars}`);
}

/** Also what was withdrawn again must have been real. */
function checkShown({ shown }: Reading, upstream: readonly UpstreamText[], tell: Report): void {
  for (const { step, attempt, channel, text } of shown) {
    if (channel !== 'answer' || upstream.some((reply) => reply.text.startsWith(text))) continue;
    const isRepeat = upstream.some((reply) => isDoubled(text, reply.text));
    const name = isRepeat ? 'doubled' : 'not_upstream_text';
    tell(name, `attempt ${step}/${attempt} showed ${quote(text)}; the model server sent no such text`);
  }
}

function checkEnd(transcript: Transcript, tell: Report): void {
  const terminal = terminalOf(transcript);
  const lastCall = transcript.log.findLast((e) => e.type === 'agent_thinking');
  const completed = transcript.log.find((e) => e.type === 'agent_completed' && e.step === lastCall?.step);
  const hasFailed = transcript.log.some((e) => e.type === 'agent_failed');
  const answer = answerOf(transcript);
  switch (terminal?.type) {
    case undefined:
      tell('no_terminal', `the log ends with ${transcript.log.at(-1)?.type ?? 'nothing'}`);
      return;
    case 'turn_completed':
      if (completed === undefined || answer.trim() === '') tell('neither', 'turn_completed without an answer');
      if (hasFailed) tell('answer_and_error', 'turn_completed after agent_failed');
      if (terminal.receipt.answerSha256 !== sha256(answer)) tell('sha256', 'the receipt is of another answer');
      return;
    case 'turn_failed': {
      const { code, message } = terminal.error;
      if (!isErrorCode(code) || message === '') tell('neither', `turn_failed with code ${code} and «${message}»`);
      const isKept = transcript.log.some((e) => e.type === 'conversation_stored');
      if (isKept || (completed !== undefined && !leavesAnswer(code))) {
        tell('answer_and_error', `turn_failed with ${code} and the answer ${quote(answer)}`);
      }
      return;
    }
    case 'turn_cancelled':
      if (transcript.log.some((e) => e.type === 'conversation_stored') && answer === '') {
        tell('order', 'conversation_stored in a cancelled turn without text');
      }
  }
}

/**
 * Whether a turn can fail with this code although its model answered: the graph did not take the answer, or the turn was
 * ended from outside. Such an answer stays on the screen, marked as not stored; a failure of a model never leaves one.
 */
const leavesAnswer = (code: string): boolean =>
  isErrorCode(code) &&
  (errorCatalogue[code].source === 'graph' || code === 'internal' || code === 'engine_unavailable');

/** `text` goes wrong against `truth` at a place where it repeats what it had said just before. */
function isDoubled(text: string, truth: string): boolean {
  let at = 0;
  while (at < text.length && text[at] === truth[at]) at += 1;
  if (at === text.length || at === 0) return false;
  const repeat = text.slice(at, at + Math.min(8, text.length - at));
  return text.slice(0, at).includes(repeat);
}

export const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');
