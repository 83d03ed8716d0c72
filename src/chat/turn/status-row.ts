// The row under the answer: what is going on right now, and what can be done about it.

import type { ConnectionState } from '../../client/index.ts';
import { stateOf, terminalOf, type Transcript } from '../../protocol/transcript.ts';
import { span, type Row } from '../screen/row.ts';
import { cutToWidth } from '../screen/wrap.ts';
import { toOneLine } from '../text/control-filter.ts';
import { openApproval } from './tool-events.ts';
import { count, waitingWords } from './wording.ts';

export interface Now {
  readonly nowMs: number;
  readonly columns: number;
  readonly connection: ConnectionState;
  /** `null`: nothing is under way. */
  readonly turn: { readonly transcript: Transcript; readonly sinceMs: number; readonly isStopping: boolean } | null;
  /** Messages that wait behind it. */
  readonly queued: number;
}

const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** Milliseconds. */
export const spinnerStepMs = 200;

/** `null`: there is nothing to say. */
export function statusRow(now: Now): Row | null {
  const { connection, turn, queued, nowMs, columns } = now;
  const lost = connectionWords(connection, nowMs);
  // Nobody waits for it yet: that it is being made is no news.
  const isNews = lost !== null && connection.kind !== 'connecting';
  if (turn === null) return !isNews ? null : cutToWidth([span(`⚠ ${lost}`, 'warning')], columns);
  const sign = spinner[Math.floor(nowMs / spinnerStepMs) % spinner.length] ?? '';
  const words = lost ?? (turn.isStopping ? 'stopping · Ctrl-C again leaves' : turnWords(turn.transcript, nowMs));
  const parts = [
    `${words} · ${seconds(nowMs - turn.sinceMs)}`,
    ...(queued === 0 ? [] : [`${count(queued, 'message')} queued`]),
    ...(turn.isStopping ? [] : ['Ctrl-C stops']),
  ];
  const role = lost === null ? 'quiet' : 'warning';
  return cutToWidth([span(`${sign} `, 'accent'), span(parts.join(' · '), role)], columns);
}

function connectionWords(connection: ConnectionState, nowMs: number): string | null {
  switch (connection.kind) {
    case 'open':
      return null;
    case 'connecting':
      return 'connecting';
    case 'waiting':
      return `connection lost, next try in ${seconds(connection.retryAtMs - nowMs)} (/reconnect tries now)`;
    case 'refused':
      return `refused: ${toOneLine(connection.error.message, 120)}`;
    case 'closed':
      return 'closed';
  }
}

function turnWords(transcript: Transcript, nowMs: number): string {
  const { log, waiting, streams } = transcript;
  const approval = openApproval(log);
  if (approval !== null) return `${toOneLine(approval.tool, 60)}: approve? y / n`;
  const last = log.at(-1);
  if (last === undefined) return 'sending';
  if (last.type === 'attempt_failed') {
    return `next try in ${seconds(Date.parse(last.retryAt) - nowMs)} (${last.attempt + 1} of ${last.maxAttempts})`;
  }
  if (waiting !== null) {
    const reason = waitingWords[waiting.reason] ?? toOneLine(waiting.reason, 40);
    const since = `since ${seconds(nowMs - Date.parse(waiting.since))}`;
    const until = waiting.until === undefined ? '' : `, next try in ${seconds(Date.parse(waiting.until) - nowMs)}`;
    return `${reason} ${since}${until}`;
  }
  const open = streams.filter(({ state }) => state === 'open');
  const growing = open.find(({ channel }) => channel === 'answer') ?? open[0];
  if (growing !== undefined) {
    const doing = growing.channel === 'answer' ? 'answering' : 'reasoning';
    const tries = growing.attempt > 1 ? ` · try ${growing.attempt}` : '';
    return `${doing}${tries} · ${count(growing.text.length, 'character')}`;
  }
  switch (last.type) {
    case 'turn_queued':
      return 'queued behind an earlier message';
    case 'agent_thinking':
      return `${toOneLine(last.model, 60)} is asked${last.attempt > 1 ? `, try ${last.attempt} of ${last.maxAttempts}` : ''}`;
    case 'agent_completed':
    case 'conversation_stored':
      return 'storing';
    default:
      return terminalOf(transcript) === null ? stateOf(transcript) : 'ended';
  }
}

const seconds = (ms: number): string => `${Math.max(0, Math.floor(ms / 1_000))} s`;
