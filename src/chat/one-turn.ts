// One message, one answer, for scripts and pipes. The answer goes to standard output when it is whole and stored: what has
// gone down a pipe cannot be withdrawn. What happens meanwhile is told on standard error.

import { terminalOf, answerOf } from '../protocol/transcript.ts';
import { CandorClientError, type CandorClient, type Message, type TurnItem } from '../client/index.ts';
import { plainOf, type Row } from './screen/row.ts';
import { withoutControls } from './text/control-filter.ts';
import { errorWords, eventRows } from './turn/event-rows.ts';
import { receiptWords } from './turn/receipt-words.ts';
import { waitingWords } from './turn/wording.ts';

/** What a script can tell apart. */
export const chatExit = {
  answered: 0,
  failed: 1,
  /** The answer is genuine and not whole: the model stopped at its limit of length. */
  incomplete: 3,
  stopped: 130,
} as const;

export interface OneTurnOptions {
  readonly client: CandorClient;
  readonly message: Message;
  /** Every event as one line of JSON on standard output, in place of the answer. */
  readonly json: boolean;
  readonly everyEvent: boolean;
  readonly out: (text: string) => void;
  readonly err: (line: string) => void;
  /** Aborted: stop the turn. */
  readonly stop: AbortSignal;
}

/** @returns the exit code */
export async function runOneTurn(options: OneTurnOptions): Promise<number> {
  const { client, json, out, err, stop } = options;
  const tell = (rows: readonly Row[]): void => {
    for (const line of rows) err(plainOf(line));
  };
  const untell = client.onState((state) => {
    if (state.kind === 'waiting') err('connection lost, connecting again');
  });
  try {
    const turn = client.send(options.message);
    const stopIt = (): void => {
      err('stopping');
      // The turn goes on when only its stop was refused: nothing else would tell that.
      turn.stop().catch((error: Error) => err(withoutControls(error.message)));
    };
    stop.addEventListener('abort', stopIt, { once: true });
    if (stop.aborted) stopIt();
    for await (const item of turn) {
      if (json) out(toJsonLine(item));
      else tell(itemRows(item, options.everyEvent));
    }
    const { transcript } = turn;
    const terminal = terminalOf(transcript);
    const answer = withoutControls(answerOf(transcript));
    if (!json && answer !== '') out(answer.endsWith('\n') ? answer : `${answer}\n`);
    if (!json && terminal !== null && terminal.receipt !== null) err(receiptWords(terminal.receipt));
    if (terminal?.type === 'turn_cancelled') return chatExit.stopped;
    if (terminal?.type !== 'turn_completed') return chatExit.failed;
    return terminal.receipt.incomplete ? chatExit.incomplete : chatExit.answered;
  } catch (error) {
    if (!(error instanceof CandorClientError)) throw error;
    err(error.info === null ? error.message : errorWords(error.info));
    return chatExit.failed;
  } finally {
    untell();
  }
}

function itemRows(item: TurnItem, everyEvent: boolean): readonly Row[] {
  switch (item.type) {
    case 'delta':
    case 'audit_completed':
    case 'audit_failed':
    case 'corrected':
      return [];
    case 'waiting':
      return [[{ text: waitingWords[item.reason] ?? 'waiting', roles: [] }]];
    default:
      return eventRows(item, everyEvent);
  }
}

/** Equal data, and nothing in it that a terminal obeys: JSON leaves C1 controls and turns of direction as they are. */
export const toJsonLine = (item: unknown): string =>
  `${JSON.stringify(item).replaceAll(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )}\n`;
