// What is said about a turn beside its own rows: why it never began, what its audit found, and what of it is kept.

import type { AuditCompleted, AuditFailed } from '../../protocol/events.ts';
import { terminalOf } from '../../protocol/transcript.ts';
import { row, span, type Row } from '../screen/row.ts';
import { toOneLine } from '../text/control-filter.ts';
import { errorWords } from '../turn/event-rows.ts';
import { verdictWords } from '../turn/wording.ts';
import type { LastTurn } from './command-lines.ts';
import { questionOf, type ShownTurn } from './shown-turns.ts';

/** What can be asked again or be proved; `null`: it has no end. */
export const toLast = ({ handle, text }: ShownTurn): LastTurn | null => {
  const terminal = terminalOf(handle.transcript);
  const [first] = handle.transcript.log;
  const question = first?.type === 'turn_accepted' ? first.text : text;
  return terminal === null ? null : { turnId: handle.turnId, text: question ?? '', receipt: terminal.receipt };
};

/** Why it is over without an end: the message was never accepted. */
export const failureRows = ({ failure }: ShownTurn): readonly Row[] =>
  failure === null
    ? []
    : [row(`✗ not sent: ${failure.info === null ? toOneLine(failure.message) : errorWords(failure.info)}`, 'bad')];

/** The verdict, which may come long after the turn has left the screen. */
export function verdictRow(turn: ShownTurn, verdict: AuditCompleted | AuditFailed): Row {
  const about = `«${toOneLine(questionOf(turn), 40)}»`;
  if (verdict.type === 'audit_failed')
    return row(`⚖ ${verdictWords.failed.text}: ${errorWords(verdict.error)} · ${about}`, 'warning');
  const words = verdictWords[verdict.verdict] ?? { text: toOneLine(verdict.verdict, 40), role: 'warning' };
  const confidence = verdict.confidence === null ? '' : ` (${Math.round(verdict.confidence * 100)} %)`;
  const reason = verdict.reason === '' ? '' : `: ${toOneLine(verdict.reason, 200)}`;
  return [span(`⚖ ${words.text}${confidence}`, words.role), span(`${reason} · ${about}`, 'quiet')];
}
