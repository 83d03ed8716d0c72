// `candor chat`: finds the gateway, looks at what the terminal can do, and puts the chat together for it.

import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReadStream, WriteStream } from 'node:tty';
import { text as readAll } from 'node:stream/consumers';
import { WebSocket } from 'ws';
import * as ui from '../chat/index.ts';
import { createCandorClient, type CandorClient, type OpenSocket } from '../client/index.ts';
import type { Config } from '../config.ts';
import { subprotocol } from '../protocol/frames.ts';
import { isUuid } from '../protocol/ids.ts';
import { findChatGateway, type ChatGateway } from './chat-gateway.ts';
import { StartError } from './start-error.ts';

export interface ChatOptions {
  /** `null`: the conversation's, else the gateway's first. */
  readonly agent: string | null;
  readonly url: string | null;
  readonly token: string | null;
  readonly conversation: string | null;
  /** The conversation that was used last. */
  readonly isContinued: boolean;
  /** `null`: a session, or standard input when that is no terminal. */
  readonly message: string | null;
  readonly json: boolean;
  readonly color: boolean;
  readonly plain: boolean;
  readonly events: boolean;
  readonly config: Config;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
  readonly stderr: WriteStream;
}

/** Nobody reads what is written: as a shell counts a process that SIGPIPE has ended. */
const unreadExit = 141;

/** @returns the exit code, see docs/chat.md. @throws StartError */
export async function chat(options: ChatOptions): Promise<number> {
  const { stdin, stdout, json } = options;
  const gateway = await findChatGateway(options, options.config);
  const rest = ui.createRest(gateway.url, gateway.token);
  try {
    const place = await findPlace(options, rest);
    const written = options.message ?? (stdin.isTTY && stdout.isTTY && !json ? null : await readMessage(options));
    return written === null
      ? await converse(options, gateway, rest, place)
      : await askOnce(options, gateway, place, written);
  } catch (error) {
    if (!(error instanceof ui.RestError)) throw error;
    throw new StartError(error.message, { cause: error });
  }
}

interface Place {
  readonly agentId: string;
  /** `null`: a new one. */
  readonly conversationId: string | null;
}

async function findPlace(options: ChatOptions, rest: ReturnType<typeof ui.createRest>): Promise<Place> {
  const { agent, conversation, isContinued } = options;
  if (conversation !== null && !isUuid(conversation))
    throw new StartError(`unable to open a conversation; ${conversation} is no id: candor chat lists them with /list`);
  const conversationId =
    conversation ?? (isContinued ? ((await rest.conversations())[0]?.conversationId ?? null) : null);
  if (conversationId !== null) return { conversationId, agentId: (await rest.conversation(conversationId)).agentId };
  const agents = await rest.agents();
  const found = agent === null ? agents[0] : agents.find(({ id }) => id === agent);
  if (found !== undefined) return { agentId: found.id, conversationId: null };
  const ids = agents.map(({ id }) => id).join(', ');
  throw new StartError(
    agent === null
      ? 'unable to chat; the gateway has no agents'
      : `unable to chat; no agent is called ${agent}: ${ids}`,
  );
}

async function readMessage({ stdin, stderr }: ChatOptions): Promise<string> {
  if (stdin.isTTY) stderr.write('write the message; Ctrl-D on an empty line ends it\n');
  const message = (await readAll(stdin)).trimEnd();
  if (message.trim() === '') throw new StartError('unable to chat; the message on standard input is empty');
  return message;
}

/** Node 20 has no WebSocket of its own. */
const openSocket: OpenSocket = ({ url, headers }) => new WebSocket(url, subprotocol, { headers });

const connect = (gateway: ChatGateway, agentId: string, onRefused: (text: string) => void): CandorClient =>
  createCandorClient({
    ...{ url: gateway.url, token: gateway.token, agentId, openSocket },
    onRefused: ({ message, code }) => onRefused(`${message} (${code})`),
  });

const isDumb = ({ env, plain }: ChatOptions): boolean => plain || env['TERM'] === 'dumb';
const hasColor = ({ env, color, stdout }: ChatOptions): boolean =>
  color && (env['NO_COLOR'] ?? '') === '' && stdout.hasColors();

async function askOnce(options: ChatOptions, gateway: ChatGateway, place: Place, message: string): Promise<number> {
  const { stdout, stderr, json, events } = options;
  const client = connect(gateway, place.agentId, (text) => stderr.write(`${text}\n`));
  const stop = new AbortController();
  let leave: (code: number) => void = () => undefined;
  const left = new Promise<number>((resolve) => (leave = resolve));
  const signals = listenTo({
    // The second one does not wait for the stop.
    SIGINT: () => (stop.signal.aborted ? leave(130) : stop.abort()),
    SIGTERM: () => leave(143),
    SIGHUP: () => leave(129),
  });
  const unread = onUnread(stdout, () => leave(unreadExit));
  const { conversationId } = place;
  const sent = { text: message, ...(conversationId === null ? {} : { conversationId }) };
  const common = { client, message: sent, everyEvent: events, stop: stop.signal };
  const isShown = stdout.isTTY && !json && !isDumb(options);
  const run = isShown
    ? ui.showOneTurn({
        ...common,
        nowMs: Date.now,
        createStage: (scene) =>
          ui.createStage({
            terminal: ui.createTerminal(options.stdin, stdout, false),
            paint: ui.createPaint({ color: hasColor(options) }),
            scene,
          }),
        listen(stage, onResize) {
          const resized = (): void => {
            onResize();
            stage.resized();
          };
          const drained = (): void => stage.drained();
          stdout.on('resize', resized).on('drain', drained);
          return () => stdout.off('resize', resized).off('drain', drained);
        },
      })
    : ui.runOneTurn({
        ...common,
        json,
        out: (text) => stdout.write(text),
        err: (line) => stderr.write(`${line}\n`),
      });
  try {
    return await Promise.race([run, left]);
  } finally {
    signals();
    unread();
    client.close();
  }
}

async function converse(
  options: ChatOptions,
  gateway: ChatGateway,
  rest: ReturnType<typeof ui.createRest>,
  place: Place,
): Promise<number> {
  const { stdin, stdout, config } = options;
  const isPlain = isDumb(options);
  const terminal = ui.createTerminal(stdin, stdout, !isPlain);
  const historyFile = join(config.paths.data, 'chat', 'history');
  const history = await ui.readHistory(historyFile);
  let saving = Promise.resolve();
  const session = ui.startSession({
    ...place,
    ...{ terminal, rest, newId: randomUUID, nowMs: Date.now },
    isEchoed: isPlain,
    everyEvent: options.events,
    connect: (agentId, onRefused) => connect(gateway, agentId, onRefused),
    createStage: (scene) =>
      isPlain
        ? ui.createPlainStage({ columns: terminal.columns - 1, write: (text) => terminal.write(text), scene })
        : ui.createStage({ terminal, paint: ui.createPaint({ color: hasColor(options) }), scene }),
    createEditor: (events) => (isPlain ? ui.createLineEditor(events) : ui.createEditor(events, history)),
    remember: (entry) => void (saving = saving.then(() => ui.addToHistory(historyFile, entry))),
    // What is there is somebody's.
    saveFile: (path, text) => writeFile(path, text, { flag: 'wx' }),
    suspend,
  });
  const signals = listenTo({
    SIGINT: () => session.interrupt(),
    SIGTERM: () => session.leave(143),
    SIGHUP: () => session.leave(129),
    exit: () => terminal.leave(),
  });
  try {
    return await session.ended;
  } finally {
    signals();
    await saving;
  }
}

/** Time does not pass for a process that is stopped: what is over after it was never stopped, or goes on. */
const stoppedMs = 100;

/** Without a shell that could bring it back the system does not stop a process; then the session goes on at once. */
function suspend(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, stoppedMs);
    // The whole group, as the terminal's own key does it: npx in front of this process would go on otherwise.
    process.kill(0, 'SIGTSTP');
  });
}

function listenTo(listeners: Readonly<Partial<Record<NodeJS.Signals | 'exit', () => void>>>): () => void {
  const pairs = Object.entries(listeners);
  for (const [name, listener] of pairs) process.on(name, listener);
  return () => {
    for (const [name, listener] of pairs) process.off(name, listener);
  };
}

/** The reader of a pipe has gone: the turn goes on, its answer can be had later. */
function onUnread(stdout: WriteStream, leave: () => void): () => void {
  const failed = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') throw error;
    leave();
  };
  stdout.on('error', failed);
  return () => stdout.off('error', failed);
}
