// A stored conversation as rows: its last turns, each with how it ended.

import { row, span, type Row } from '../screen/row.ts';
import { toOneLine } from '../text/control-filter.ts';
import { createStreamedAnswer } from '../turn/streamed-text.ts';
import { questionRows } from '../turn/turn-rows.ts';
import type { ListedTurn, ShownConversation } from '../rest.ts';

const mostTurns = 10;

export function conversationRows({ title, agentId, turns }: ShownConversation, columns: number): readonly Row[] {
  const over = turns.filter(({ state }) => state === 'completed' || state === 'failed' || state === 'cancelled');
  const shown = over.slice(-mostTurns);
  const earlier = over.length - shown.length;
  return [
    [span(toOneLine(title, 100), 'strong'), span(` · agent ${toOneLine(agentId, 60)}`, 'quiet')],
    ...(earlier === 0 ? [] : [row(`· ${earlier} earlier turns are not shown`, 'quiet')]),
    [],
    ...shown.flatMap((turn) => [...turnRowsOf(turn, columns), []]),
  ];
}

function turnRowsOf({ text, answer, state, error }: ListedTurn, columns: number): readonly Row[] {
  const said = state === 'failed' || answer === null ? [] : createStreamedAnswer(columns).rows(answer, true);
  return [
    ...questionRows(text ?? '', columns),
    ...(said.length === 0 ? [] : [[], ...said]),
    ...(state === 'cancelled' ? [row('■ stopped', 'warning')] : []),
    ...(error === null ? [] : [row(`✗ no answer: ${toOneLine(error.message)} (${toOneLine(error.code, 40)})`, 'bad')]),
  ];
}
