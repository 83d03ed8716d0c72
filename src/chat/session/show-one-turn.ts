// One message at a terminal, without a prompt: the answer grows as in a session, and the program ends with it.

import { CandorClientError, type CandorClient, type Message } from '../../client/index.ts';
import { terminalOf } from '../../protocol/transcript.ts';
import { chatExit } from '../one-turn.ts';
import { row, type Row } from '../screen/row.ts';
import { belowOpen, type Scene, type Stage } from '../screen/stage.ts';
import { toOneLine } from '../text/control-filter.ts';
import { errorWords } from '../turn/event-rows.ts';
import { spinnerStepMs, statusRow } from '../turn/status-row.ts';
import { createTurnRows } from '../turn/turn-rows.ts';

export interface ShowOneTurnOptions {
  readonly client: CandorClient;
  readonly message: Message;
  readonly createStage: (scene: () => Scene) => Stage;
  readonly everyEvent: boolean;
  readonly nowMs: () => number;
  /** Aborted: stop the turn. */
  readonly stop: AbortSignal;
  /** Calls back when the terminal has another size, or takes more; returns what ends it. */
  readonly listen: (stage: Stage, onResize: () => void) => () => void;
}

/** @returns the exit code */
export async function showOneTurn(options: ShowOneTurnOptions): Promise<number> {
  const { client, message, nowMs, stop } = options;
  const sinceMs = nowMs();
  const turn = client.send(message);
  const create = () => createTurnRows({ columns: stage.columns, everyEvent: options.everyEvent, reasoning: true });
  let notices: readonly Row[] = [];

  const scene = (): Scene => {
    const status = statusRow({
      ...{ nowMs: nowMs(), columns: stage.columns, connection: client.state, queued: 0 },
      turn: { transcript: turn.transcript, sinceMs, isStopping: turn.stopRequested },
    });
    const open = rows.show(turn.transcript, null);
    return { open, foot: belowOpen(open.rows, [...notices, ...(status === null ? [] : [status])]), input: null };
  };
  const stage = options.createStage(scene);
  let rows = create();
  // The turn goes on when only its stop was refused: nothing else would tell that.
  const stopIt = (): void =>
    void turn.stop().catch((error: Error) => {
      notices = [row(`✗ ${toOneLine(error.message)}`, 'bad')];
      stage.changed();
    });
  stop.addEventListener('abort', stopIt, { once: true });
  if (stop.aborted) stopIt();
  const unsubscribe = turn.subscribe(() => stage.changed());
  const unlisten = options.listen(stage, () => (rows = create()));
  const timer = setInterval(() => stage.changed(), spinnerStepMs);
  try {
    const terminal = terminalOf(await turn.ended);
    stage.finish(rows.show(turn.transcript, null).rows);
    if (terminal?.type === 'turn_cancelled') return chatExit.stopped;
    if (terminal?.type !== 'turn_completed') return chatExit.failed;
    return terminal.receipt.incomplete ? chatExit.incomplete : chatExit.answered;
  } catch (error) {
    if (!(error instanceof CandorClientError)) throw error;
    const words = error.info === null ? error.message : errorWords(error.info);
    stage.finish([...rows.show(turn.transcript, null).rows, row(`✗ ${words}`, 'bad')]);
    return chatExit.failed;
  } finally {
    clearInterval(timer);
    unsubscribe();
    unlisten();
    stage.end();
  }
}
