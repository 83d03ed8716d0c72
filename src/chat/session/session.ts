// A session at a terminal: what is written, what is under way, and what the person wants of it. It holds no truth: turns are
// the client's, and a session that ends leaves them running.

import type { CandorClient, ConnectionState, ConversationWatch } from '../../client/index.ts';
import { matching, parseEntered } from '../commands.ts';
import type { Editor, EditorOptions } from '../input/editor.ts';
import { row, span, type Row } from '../screen/row.ts';
import { belowOpen, type Scene, type Stage } from '../screen/stage.ts';
import type { Terminal } from '../screen/terminal.ts';
import { toOneLine } from '../text/control-filter.ts';
import { errorWords } from '../turn/event-rows.ts';
import { spinnerStepMs, statusRow } from '../turn/status-row.ts';
import { openApproval } from '../turn/tool-events.ts';
import { createTurnRows, wrapTold, type TurnRows, type TurnShown } from '../turn/turn-rows.ts';
import type { Rest } from '../rest.ts';
import { commandLines, type SessionState } from './command-lines.ts';
import { conversationRows } from './conversation-rows.ts';
import { createShownTurns, questionOf, type ShownTurn } from './shown-turns.ts';
import { failureRows, toLast, verdictRow } from './turn-notes.ts';

export interface SessionOptions {
  readonly terminal: Terminal;
  readonly createStage: (scene: () => Scene) => Stage;
  readonly createEditor: (options: EditorOptions) => Editor;
  /** What is written stands on the screen already: nobody draws it. */
  readonly isEchoed: boolean;
  readonly everyEvent: boolean;
  readonly rest: Rest;
  readonly connect: (agentId: string, onRefused: (text: string) => void) => CandorClient;
  readonly agentId: string;
  /** `null`: a new one. */
  readonly conversationId: string | null;
  readonly newId: () => string;
  readonly nowMs: () => number;
  readonly remember: (entry: string) => void;
  /** @throws Error when it cannot be written */
  readonly saveFile: (path: string, text: string) => Promise<void>;
  /** Resolves when the shell gives the terminal back. */
  readonly suspend: () => Promise<void>;
}

export interface Session {
  /** Resolves with the exit code. */
  readonly ended: Promise<number>;
  /** Ctrl-C, when it comes as a signal. */
  interrupt(): void;
  /** Gives the terminal back at once. */
  leave(code: number): void;
}

/** A second Ctrl-C within it leaves. */
const leaveMs = 2_000;
const mostNoticeRows = 12;

export function startSession(options: SessionOptions): Session {
  const { terminal, rest, nowMs } = options;
  let finish: (code: number) => void = () => undefined;
  const ended = new Promise<number>((resolve) => (finish = resolve));
  let isLeaving = false;
  let state: SessionState = {
    agentId: options.agentId,
    conversationId: options.conversationId ?? options.newId(),
    everyEvent: options.everyEvent,
    reasoning: true,
    listed: [],
    last: null,
  };
  let client: CandorClient;
  let watch: ConversationWatch | null = null;
  let endWatch = (): void => undefined;
  let connection: ConnectionState = { kind: 'connecting' };
  let lostAtMs: number | null = null;
  let interruptedAtMs = 0;
  let notices: readonly Row[] = [];
  let turnRows: TurnRows | null = null;

  const turns = createShownTurns({
    nowMs,
    onChange: () => {
      watchWhenThere();
      stage.changed();
    },
    onOver(turn) {
      stage.finish([...showOf(turn).rows, ...failureRows(turn), []]);
      state = { ...state, last: toLast(turn) ?? state.last };
      turnRows = null;
      if (notices.length > 0) stage.print([...notices, []]);
      notices = [];
    },
    onVerdict: (turn, verdict) => tell(verdictRow(turn, verdict)),
  });

  const showOf = (turn: ShownTurn): TurnShown => {
    turnRows ??= createTurnRows({ columns: stage.columns, everyEvent: state.everyEvent, reasoning: state.reasoning });
    const isWritten = options.isEchoed && turn.text !== null;
    return turnRows.show(turn.handle.transcript, isWritten ? null : questionOf(turn));
  };

  const scene = (): Scene => {
    const { current, waiting } = turns;
    const { columns } = stage;
    const status = statusRow({
      ...{ nowMs: nowMs(), columns, connection, queued: waiting.length },
      turn:
        current === null
          ? null
          : {
              transcript: current.handle.transcript,
              sinceMs: current.sinceMs,
              isStopping: current.handle.stopRequested,
            },
    });
    const hints = matching(editor.text).map(({ name, argument, help }) =>
      row(`  /${name}${argument === '' ? '' : ` ${argument}`}  ${help}`, 'quiet'),
    );
    const refusal = current?.handle.refusal ?? null;
    const refused = current?.handle.state === 'unsent' ? 'not accepted yet' : 'refused';
    const foot = [
      ...(refusal === null ? [] : [row(`⚠ ${refused}: ${errorWords(refusal)}`, 'warning')]),
      ...notices.slice(-mostNoticeRows),
      ...waiting.map((turn) => row(`  queued: ${toOneLine(questionOf(turn), columns - 12)}`, 'quiet')),
      ...(status === null ? [] : [status]),
      ...hints,
    ];
    const open = current === null ? null : showOf(current);
    return {
      open,
      foot: open === null ? foot : belowOpen(open.rows, foot),
      input: { text: editor.text, cursor: editor.cursor },
    };
  };

  const stage = options.createStage(scene);

  /** Beside an answer that grows, else for good. */
  const tell = (...told: readonly Row[]): void => {
    const rows = told.flatMap((line) => wrapTold(line, stage.columns));
    if (turns.current === null) stage.print(rows);
    else notices = [...notices, ...rows];
    stage.changed();
  };

  const connect = (agentId: string): void => {
    client = options.connect(agentId, (text) => tell(row(`⚠ ${toOneLine(text)}`, 'warning')));
    client.onState((next) => {
      connection = next;
      if (next.kind === 'waiting') lostAtMs ??= nowMs();
      if (next.kind === 'open' && lostAtMs !== null) {
        tell(row(`· connected again after ${Math.ceil((nowMs() - lostAtMs) / 1_000)} s`, 'quiet'));
        lostAtMs = null;
      }
      if (next.kind === 'refused') {
        tell(row(`✗ ${errorWords(next.error)}`, 'bad'));
        leave(1);
      }
      stage.changed();
    });
  };

  /** A conversation can be watched when its first turn has been linked; verdicts come that way. */
  const watchWhenThere = (): void => {
    const { current } = turns;
    if (watch !== null && watch.refusal === null) return;
    const isThere = current?.handle.transcript.log.some(({ type }) => type === 'agent_started') === true;
    if (isThere) startWatch();
  };
  const startWatch = (): void => {
    endWatch();
    const watching = client.watch(state.conversationId);
    watch = watching;
    const adopt = (): void => {
      for (const { turn } of watching.turns) if (turn !== null) turns.add(turn, null);
    };
    endWatch = watching.subscribe(adopt);
    adopt();
  };

  const openNew = (conversationId: string, agentId: string): void => {
    endWatch();
    watch?.close();
    watch = null;
    endWatch = () => undefined;
    turns.clear();
    turnRows = null;
    if (agentId !== state.agentId) {
      client.close();
      connect(agentId);
    }
    state = { ...state, conversationId, agentId, last: null };
  };

  const send = (text: string, more: { readonly busy?: 'interrupt'; readonly regenerateOf?: string } = {}): void => {
    turns.add(client.send({ text, conversationId: state.conversationId, ...more }), text);
  };

  const submit = (text: string): void => {
    const entered = parseEntered(text);
    if (entered.kind === 'nothing') return;
    options.remember(text);
    switch (entered.kind) {
      case 'message':
        return send(entered.text);
      case 'unknown':
        return tell(
          row(
            `unknown command /${toOneLine(entered.name, 40)}: /help lists them; // begins a message with a slash`,
            'warning',
          ),
        );
      case 'command':
        commandLines[entered.name]({
          argument: entered.argument,
          state: () => state,
          set: (part) => (state = { ...state, ...part }),
          ...{ tell, send, openNew, openStored, rest, leave, saveFile: options.saveFile, newId: options.newId },
          columns: stage.columns,
          current: turns.current?.handle ?? null,
          waiting: turns.waiting.map(({ handle }) => handle),
          reconnect: () => client.reconnectNow(),
        })?.catch((error: Error) => tell(row(`✗ ${toOneLine(error.message)}`, 'bad')));
    }
  };

  const openStored = async (id: string): Promise<void> => {
    const found = await rest.conversation(id);
    openNew(found.conversationId, found.agentId);
    stage.print(conversationRows(found, stage.columns));
    const over = found.turns.findLast(({ receipt }) => receipt !== null);
    if (over !== undefined)
      state = { ...state, last: { turnId: over.turnId, text: over.text ?? '', receipt: over.receipt } };
    startWatch();
    stage.changed();
  };

  const interrupt = (): void => {
    const { current } = turns;
    const isSecond = nowMs() - interruptedAtMs < leaveMs;
    interruptedAtMs = nowMs();
    if (current !== null) {
      if (current.handle.stopRequested) return leave(130);
      // The turn goes on when only its stop was refused: nothing else would tell that.
      current.handle.stop().catch((error: Error) => {
        if (!isLeaving) tell(row(`✗ ${toOneLine(error.message)}`, 'bad'));
      });
    } else if (editor.text !== '') editor.clear();
    else if (isSecond) return leave(130);
    else tell(row('Ctrl-C again, Ctrl-D or /quit leaves', 'quiet'));
    stage.changed();
  };

  const suspend = async (): Promise<void> => {
    stage.suspend();
    terminal.leave();
    await options.suspend();
    terminal.enter();
    stage.resume();
  };

  const leave = (code: number): void => {
    if (isLeaving) return;
    isLeaving = true;
    clearInterval(timer);
    const { current } = turns;
    if (current !== null) {
      stage.finish(showOf(current).rows);
      stage.print([
        ...notices,
        row(`· the turn goes on without you; candor chat --conversation ${state.conversationId} shows it`, 'warning'),
      ]);
    }
    turns.clear();
    stage.end();
    unlisten();
    editor.close();
    client.close();
    terminal.leave();
    finish(code);
  };

  const decide = (key: string): boolean => {
    const { current } = turns;
    const decision = key === 'y' ? 'approve' : key === 'n' ? 'deny' : null;
    if (current === null || decision === null || editor.text !== '') return false;
    const request = openApproval(current.handle.transcript.log);
    if (request === null) return false;
    const isSent = current.handle[decision](request.callId, request.argumentsSha256);
    if (!isSent) tell(row('⚠ not connected: decide again when the connection is back', 'warning'));
    return true;
  };

  const editor = options.createEditor({
    complete: (text) => matching(text).map(({ name }) => `/${name} `),
    onChange: () => void stage.draw(),
    onSubmit: submit,
    onSignal(signal) {
      if (signal === 'interrupt') interrupt();
      else if (signal === 'end') leave(0);
      else void suspend();
    },
    takeKey: decide,
  });
  const unlisten = terminal.on({
    onData: (text) => editor.feed(text),
    onResize() {
      turnRows = null;
      stage.resized();
    },
    onDrain: () => stage.drained(),
    onGone: () => leave(0),
  });
  // Time passes in the status row only.
  const timer = setInterval(() => {
    if (turns.current !== null || connection.kind !== 'open') stage.changed();
  }, spinnerStepMs);

  terminal.enter();
  connect(state.agentId);
  stage.print([
    [span('candor', 'strong'), span(` · agent ${toOneLine(state.agentId, 60)} · /help lists commands`, 'quiet')],
    [],
  ]);
  stage.draw();
  if (options.conversationId !== null) {
    openStored(options.conversationId).catch((error: Error) => {
      tell(row(`✗ ${toOneLine(error.message)}`, 'bad'));
      leave(1);
    });
  }
  return { ended, interrupt, leave };
}
