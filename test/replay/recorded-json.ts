// A history as a file that can be given away: no process, no host and no path of the machine that recorded it. Replay
// looks at none of them. The form is that of the generated classes: the SDK's own `historyToJSON` fails where npm installs
// more than one protobufjs.

import { homedir, hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';

const { History } = proto.temporal.api.history.v1;
type History = proto.temporal.api.history.v1.IHistory;

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Identities of workers, of this process and of others, with their lines. */
const recorder = new RegExp(`\\d+@${hostname().replaceAll('.', '\\.')}( line=[^\\s"]+)?`, 'g');

/** @throws Error when something of the machine is left */
export function toRecordedJson(history: History): string {
  const object = History.toObject(History.fromObject(history), { longs: String, enums: String, bytes: String });
  const plain = JSON.stringify(object).replaceAll(recorder, 'recorder');
  const recorded = JSON.stringify(JSON.parse(plain, strip), null, 1) + '\n';
  for (const text of [recorded, ...payloadsIn(recorded)]) {
    const left = [root, homedir(), `@${hostname()}`].find((trace) => text.includes(trace));
    if (left !== undefined) throw new Error(`unable to record a history; it names ${left} of this machine`);
  }
  return recorded;
}

/** The history of such a file. */
export const fromRecordedJson = (json: string): History =>
  History.fromObject(JSON.parse(json) as Record<string, unknown>);

function strip(key: string, value: unknown): unknown {
  if (key === 'identity') return 'recorder';
  return key === 'stackTrace' ? '' : value;
}

/** Contents of every payload: they are base64 in the file. */
const payloadsIn = (json: string): string[] =>
  [...json.matchAll(/"data": "([^"]*)"/g)].map(([, data = '']) => Buffer.from(data, 'base64').toString('utf8'));
