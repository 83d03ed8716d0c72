// A turn as rows, from its transcript alone: the question, what happened, the answer as far as it is known. Text that was
// withdrawn is not there, so that a screen that shows these rows cannot show it as an answer.

import type { SequencedEvent } from '../../protocol/events.ts';
import { terminalOf, type TextStream, type Transcript } from '../../protocol/transcript.ts';
import { row, span, type Row } from '../screen/row.ts';
import { wrapExactly, wrapWords } from '../screen/wrap.ts';
import { withoutControls } from '../text/control-filter.ts';
import { eventRows } from './event-rows.ts';
import { receiptWords } from './receipt-words.ts';
import { createStreamedAnswer, createStreamedReasoning, type StreamedText } from './streamed-text.ts';
import { count, duration } from './wording.ts';

export interface TurnRowsOptions {
  readonly columns: number;
  readonly everyEvent: boolean;
  readonly reasoning: boolean;
}

export interface TurnShown {
  readonly rows: readonly Row[];
  /** How many of them stay as they are, unless text is withdrawn. */
  readonly settled: number;
}

export interface TurnRows {
  /** @param question `null`: it stands on the screen already */
  show(transcript: Transcript, question: string | null): TurnShown;
}

export function createTurnRows({ columns, everyEvent, reasoning }: TurnRowsOptions): TurnRows {
  const streamed = new Map<string, StreamedText>();
  const textOf = (stream: TextStream): StreamedText => {
    const key = `${stream.step}/${stream.attempt}/${stream.channel}`;
    const found = streamed.get(key);
    if (found !== undefined) return found;
    const made = stream.channel === 'answer' ? createStreamedAnswer(columns) : createStreamedReasoning(columns);
    streamed.set(key, made);
    return made;
  };

  /** What a call has said, behind its `agent_thinking`. */
  const callRows = (transcript: Transcript, step: number, attempt: number): TurnShown => {
    const terminal = terminalOf(transcript);
    // A turn that failed has no answer, whatever was shown (R31).
    if (terminal?.type === 'turn_failed') return nothing;
    const of = (channel: TextStream['channel']): TurnShown => {
      const stream = transcript.streams.find((s) => s.step === step && s.attempt === attempt && s.channel === channel);
      if (stream === undefined || stream.state === 'discarded' || stream.text === '') return nothing;
      const text = textOf(stream);
      const rows = text.rows(stream.text, stream.state === 'final' || terminal !== null);
      const removed = text.removedUnits;
      const { settled } = text;
      if (removed === 0) return { rows, settled };
      return {
        rows: [...rows, row(`! ${count(removed, 'control character')} taken out of the text`, 'warning')],
        settled,
      };
    };
    const thought = reasoning ? of('reasoning') : nothing;
    const said = of('answer');
    if (said.rows.length === 0) return thought;
    const above = thought.rows.length === 0 ? [] : [...thought.rows, []];
    return { rows: [...above, ...said.rows], settled: above.length + said.settled };
  };

  return {
    show(transcript, question) {
      const rows: Row[] = question === null ? [] : [...questionRows(question, columns)];
      let settled: number | null = null;
      for (const event of transcript.log) {
        rows.push(...eventRows(event, everyEvent).flatMap((line) => wrapTold(line, columns)));
        if (event.type !== 'agent_thinking') continue;
        const call = callRows(transcript, event.step, event.attempt);
        if (call.rows.length === 0) continue;
        // Code may have empty rows of its own: only the seams are looked at.
        if (rows.at(-1)?.length !== 0) rows.push([]);
        if (call.settled < call.rows.length) settled ??= rows.length + call.settled;
        rows.push(...call.rows, []);
      }
      rows.push(...footRows(transcript, columns));
      return { rows, settled: settled ?? rows.length };
    },
  };
}

const nothing: TurnShown = { rows: [], settled: 0 };

export const questionRows = (question: string, columns: number): readonly Row[] =>
  wrapExactly([span(withoutControls(question), 'strong')], columns - 2).map((line, index): Row => [
    span(index === 0 ? '› ' : '  ', 'accent'),
    ...line,
  ]);

/** Words about a turn: they go on a little to the right of where they begin. */
export const wrapTold = (line: Row, columns: number): readonly Row[] => {
  const [first = [], ...rest] = wrapWords(line, columns - 2);
  // Its mark stands out; what follows is moved in.
  return [indentOf(line, first), ...rest.map((more): Row => [span('  '), ...more])];
};

/** Words are wrapped without the white space in front of them. */
const indentOf = (line: Row, first: Row): Row => {
  const indent = /^ */.exec(line[0]?.text ?? '')?.[0] ?? '';
  return indent === '' ? first : [span(indent), ...first];
};

function footRows(transcript: Transcript, columns: number): readonly Row[] {
  const terminal = terminalOf(transcript);
  if (terminal === null || terminal.receipt === null) return [];
  const [first] = transcript.log as readonly [SequencedEvent];
  const took = duration(Date.parse(terminal.time) - Date.parse(first.time));
  const mark = terminal.type === 'turn_completed' ? span('✓ ', 'good') : span('· ', 'quiet');
  return wrapTold([mark, span(`${receiptWords(terminal.receipt)} · ${took}`, 'quiet')], columns);
}
