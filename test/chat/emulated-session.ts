// A session at an emulated terminal against a scripted gateway: the real client over real sockets, and a person's keys.

import { randomUUID } from 'node:crypto';
import { createEditor } from '../../src/chat/input/editor.ts';
import { createRest } from '../../src/chat/rest.ts';
import { createPaint } from '../../src/chat/screen/row.ts';
import { createStage } from '../../src/chat/screen/stage.ts';
import { startSession, type Session } from '../../src/chat/session/session.ts';
import { createCandorClient } from '../../src/client/index.ts';
import { openWsSocket } from '../client/ws-socket.ts';
import { startScriptedGateway, type ScriptedGateway } from '../web/scripted-gateway.ts';
import { agentId, createTurnScript } from '../web/turn-script.ts';
import { createEmulatedTerminal, type EmulatedTerminal } from './emulated-terminal.ts';

export interface EmulatedSession extends EmulatedTerminal {
  readonly gateway: ScriptedGateway;
  readonly session: Session;
  readonly remembered: readonly string[];
  readonly saved: ReadonlyMap<string, string>;
  readonly suspended: { count: number; resume: () => void };
  /** Types the message and lets the gateway accept and begin it. */
  ask(text: string): Promise<ReturnType<typeof createTurnScript>>;
  close(): Promise<void>;
}

export const enter = '\r';
export const ctrlC = '\u0003';

/** The time of the scripted events. */
const nowMs = Date.parse('2026-01-02T03:04:05.000Z');

export async function startEmulatedSession(
  options: { readonly columns?: number; readonly rows?: number; readonly history?: readonly string[] } = {},
): Promise<EmulatedSession> {
  const emulated = createEmulatedTerminal(options.columns, options.rows);
  const gateway = await startScriptedGateway();
  const url = `http://127.0.0.1:${gateway.port}`;
  const remembered: string[] = [];
  const saved = new Map<string, string>();
  const suspended = { count: 0, resume: () => undefined as void };
  const session = startSession({
    terminal: emulated.terminal,
    createStage: (scene) => createStage({ terminal: emulated.terminal, paint: createPaint({ color: true }), scene }),
    createEditor: (events) => createEditor(events, options.history ?? []),
    isEchoed: false,
    everyEvent: false,
    rest: createRest(url, 'a.b.c'),
    connect: (agent) =>
      createCandorClient({ url, agentId: agent, token: 'a.b.c', openSocket: openWsSocket, random: () => 0 }),
    agentId,
    conversationId: null,
    newId: randomUUID,
    nowMs: () => nowMs,
    remember: (entry) => void remembered.push(entry),
    saveFile: async (path, text) => void saved.set(path, text),
    suspend: () => {
      suspended.count += 1;
      return new Promise((resolve) => (suspended.resume = resolve));
    },
  });
  return {
    ...emulated,
    get written() {
      return emulated.written;
    },
    get isRaw() {
      return emulated.isRaw;
    },
    gateway,
    session,
    remembered,
    saved,
    suspended,
    async ask(text) {
      emulated.type(text + enter);
      const { turnId, conversationId } = await gateway.frame('message');
      const script = createTurnScript(turnId, conversationId);
      for (const event of [script.accepted(text), script.started(), script.thinking()]) gateway.emit(event);
      return script;
    },
    async close() {
      session.leave(0);
      await gateway.stop();
    },
  };
}

/** The rest of an answered turn. */
export function finish(
  gateway: ScriptedGateway,
  script: ReturnType<typeof createTurnScript>,
  text: string,
  attempt = 1,
): void {
  for (const event of [script.answered(text, attempt), script.stored(), script.auditStarted(), script.completed()]) {
    gateway.emit(event);
  }
}
