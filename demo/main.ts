// The demonstration. A question is asked; the process that answers it is killed in the middle of a word; the text is
// withdrawn, another process answers; a second device joins in the middle of a word; the receipt is checked offline.
// Whatever is shown is checked too: an exit code of 0 means that all of it was true.

import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { issueDevToken } from '../src/api/auth/dev-token.ts';
import { turnWorkflowId, type TurnId } from '../src/protocol/ids.ts';
import type { TurnChange, TurnHandle } from '../src/client/index.ts';
import { answerOf, terminalOf, type Transcript } from '../src/protocol/transcript.ts';
import { answer, createUpstream } from '../testing/upstream/upstream.ts';
import { createCandorProcesses, type CandorProcess } from './processes.ts';
import { createDevice } from './device.ts';
import { toSvg } from './recording.ts';
import { createStage, type TextRow } from './stage.ts';
import { firstAnswer, question, secondAnswer, toChunks } from './story.ts';

const paceMs = 45;
const killAtChars = 118;
const joinAtChars = 75;

const stage = createStage({ write: (text) => void process.stdout.write(text), isTty: process.stdout.isTTY }, () =>
  performance.now(),
);
const recordTo = process.argv[process.argv.indexOf('--record') + 1];
const read = (name: string): string => process.env[`CANDOR_TEST_${name}`] ?? '';

const check = (claim: string, isTrue: boolean): void => {
  if (!isTrue) throw new Error(`the demonstration shows something that is not true: ${claim}`);
};

/** The text that grows, of the newest call. */
const growing = ({ streams }: Transcript): string => streams.findLast(({ state }) => state === 'open')?.text ?? '';
const tryOf = ({ log }: Transcript): number => log.filter(({ type }) => type === 'agent_thinking').length;
const isInWord = (whole: string, at: number): boolean =>
  /\w\w$/.test(whole.slice(0, at)) && /^\w\w/.test(whole.slice(at));
const cutWord = (whole: string, at: number): string =>
  `${/\w*$/.exec(whole.slice(0, at))?.[0] ?? ''}|${/^\w*/.exec(whole.slice(at))?.[0] ?? ''}`;

const secret = randomUUID() + randomUUID();
const token = await issueDevToken(new TextEncoder().encode(secret), { user: 'ada' });
const upstream = await createUpstream();
upstream.chat.enqueue(answer(toChunks(firstAnswer), { paceMs }), answer(toChunks(secondAnswer), { paceMs }));
const processes = await createCandorProcesses({
  TEMPORAL_ADDRESS: read('TEMPORAL_ADDRESS'),
  TEMPORAL_NAMESPACE: read('TEMPORAL_NAMESPACE'),
  TEMPORAL_TASK_QUEUE: `demo-${randomUUID()}`,
  NEO4J_URI: read('NEO4J_URI'),
  NEO4J_USER: read('NEO4J_USER'),
  NEO4J_PASSWORD: read('NEO4J_PASSWORD'),
  OPENAI_BASE_URL: upstream.url,
  OPENAI_MODEL: 'wire-model',
  OPENAI_API_KEY: 'unset',
  AUDIT_BASE_URL: 'unset',
  CANDOR_JWT_SECRET: secret,
  CANDOR_AGENTS_DIR: new URL('../agents', import.meta.url).pathname,
  CANDOR_KNOWLEDGE_DIR: new URL('../knowledge', import.meta.url).pathname,
  CANDOR_LOG_LEVEL: 'fatal',
  PORT: '0',
});
const connection = await Connection.connect({ address: read('TEMPORAL_ADDRESS') });
const temporal = new Client({ connection, namespace: read('TEMPORAL_NAMESPACE') });

try {
  process.stdout.write('starting two Candors on a Temporal and a Neo4j of their own …\n');
  await play(await Promise.all([processes.start('north'), processes.start('south')]));
  if (process.argv.includes('--record') && recordTo !== undefined) {
    await writeFile(recordTo, toSvg(stage.rows, 'A process is killed in the middle of a word; the turn ends well.'));
  }
} finally {
  await processes.close();
  await connection.close();
  await upstream.close();
}

async function play([north, south]: readonly [CandorProcess, CandorProcess]): Promise<void> {
  const turnId = randomUUID() as TurnId;
  const pids = `${north.name} ${north.pid}, ${south.name} ${south.pid}`;
  stage.say('candor', `two processes, each with a gateway and a worker: ${pids}`, 'quiet');
  stage.say('ada', question);

  let row: TextRow | null = null;
  let speaker = 'answer';
  let nextTokenMs: number | null = null;
  /** What one device sees, as long as it is the one that is shown. */
  const showing =
    (name: string) =>
    ({ event, before, after }: TurnChange): void => {
      if (event?.type === 'delta' && event.attempt > 1) nextTokenMs ??= performance.now();
      if (speaker !== name) return;
      const more = growing(after).slice(growing(before).length);
      if (event?.type === 'delta' && more !== '') {
        row ??= stage.stream(name);
        row.add(more);
      }
      if (event?.type === 'attempt_failed' && before.log !== after.log) {
        row?.withdraw();
        row = null;
        const { attempt, maxAttempts, error, atLeast, discardedChars } = event;
        const chars = `${atLeast === true ? 'at least ' : ''}${discardedChars} characters`;
        stage.say(
          'event',
          `try ${attempt} of ${maxAttempts} failed: ${error.code}; ${chars} withdrawn; tried again`,
          'bad',
        );
      }
    };
  let gateway = north;
  const ada = createDevice(token, () => gateway.url);
  const turn = ada.client.send({ turnId, text: question });
  turn.subscribe(showing('answer'));
  const until = async (device: TurnHandle, holds: (transcript: Transcript) => boolean): Promise<Transcript> => {
    await device.until(({ transcript }) => holds(transcript));
    return device.transcript;
  };

  const at = ({ length }: string, from: number, whole: string): boolean => length >= from && isInWord(whole, length);
  const cut = growing(await until(turn, (transcript) => at(growing(transcript), killAtChars, firstAnswer)));
  // The call may run in either process: the one that it runs in is killed.
  const [victim, survivor] = (await runsIn(turnId, north.pid)) ? [north, south] : [south, north];
  const killedMs = performance.now();
  await victim.kill();
  (row as TextRow | null)?.end();
  stage.say('kill -9', `process ${victim.pid}, in the middle of «${cutWord(firstAnswer, cut.length)}»`, 'bad');
  if (victim === north) {
    gateway = survivor;
    await ada.comesBack();
    stage.say('ada', `comes back to ${survivor.name} with her cursor`, 'quiet');
  }

  await until(turn, (transcript) => tryOf(transcript) > 1 && at(growing(transcript), joinAtChars, secondAnswer));
  const phone = createDevice(token, () => survivor.url);
  (row as TextRow | null)?.end();
  row = null;
  const { transcript: seen } = turn;
  stage.say('phone', `joins at character ${growing(seen).length}, in the middle of a word`, 'quiet');
  speaker = 'phone';
  const joined = phone.client.resume(turnId, seen);
  joined.subscribe(showing('phone'));

  await Promise.all([turn.ended, joined.ended]);
  (row as TextRow | null)?.end();
  ada.client.close();
  phone.client.close();
  const { text } = turn;
  check('the answer is what the model sent, each character once', text === secondAnswer);
  check('both devices show the same', joined.text === text);
  check('two calls reached the model', upstream.calls.filter(({ isJson }) => !isJson).length === 2);
  const waitedMs = Math.round((nextTokenMs ?? Number.POSITIVE_INFINITY) - killedMs);
  stage.say(
    'event',
    `completed and stored; from the kill to the next token ${waitedMs} ms, no character twice`,
    'good',
  );
  await verifyReceipt(survivor, turn.transcript);
}

/** Whether the model call runs in the process with this id, as Temporal has it. */
async function runsIn(turnId: TurnId, pid: number): Promise<boolean> {
  const { raw } = await temporal.workflow.getHandle(turnWorkflowId(turnId)).describe();
  return raw.pendingActivities?.some(({ lastWorkerIdentity }) => lastWorkerIdentity?.startsWith(`${pid}@`)) ?? false;
}

async function verifyReceipt({ url }: CandorProcess, transcript: Transcript): Promise<void> {
  const terminal = terminalOf(transcript);
  check('the turn is completed', terminal?.type === 'turn_completed');
  const [receiptFile, keysFile, answerFile] = ['receipt.json', 'keys.json', 'answer.txt'].map((name) =>
    join(processes.folder, name),
  ) as [string, string, string];
  const keys = await fetch(`${url}/.well-known/candor-keys.json`);
  await writeFile(keysFile, await keys.text());
  await writeFile(receiptFile, JSON.stringify(terminal?.receipt));
  await writeFile(answerFile, answerOf(transcript) ?? '');
  const verify = ['verify', receiptFile, '--keys', keysFile, '--answer', answerFile, '--json'];
  const good = await processes.run(...verify);
  check('the receipt verifies', good.code === 0);
  stage.say(
    'verify',
    'the receipt is valid: signature, model, both tries, hash of the answer – checked offline',
    'good',
  );
  await writeFile(answerFile, (await readFile(answerFile, 'utf8')).replace('RB-001', 'RB-007'));
  const bad = await processes.run(...verify);
  check('a changed character is found', bad.code === 1 && bad.output.includes('answer_changed'));
  stage.say('verify', 'with one character of the answer changed: answer_changed', 'bad');
}
