// Temporal must know the search attributes before the first turn: an unknown one retries a workflow task without end.
// They are added where that is allowed; where it is not, the start ends with the command that an operator has to run.

import proto from '@temporalio/proto';
import type { NativeConnection } from '@temporalio/worker';
import { searchAttributes } from '../protocol/turn.ts';
import { StartError } from './start-error.ts';

const { INDEXED_VALUE_TYPE_KEYWORD, INDEXED_VALUE_TYPE_DOUBLE } = proto.temporal.api.enums.v1.IndexedValueType;
const types = { Keyword: INDEXED_VALUE_TYPE_KEYWORD, Double: INDEXED_VALUE_TYPE_DOUBLE } as const;

/** @throws StartError when attributes are missing and cannot be added, or have another type */
export async function ensureSearchAttributes(connection: NativeConnection, namespace: string): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const wanted = Object.entries(searchAttributes);
  const wrong = wanted.find(
    ([name, type]) => customAttributes?.[name] !== undefined && customAttributes[name] !== types[type],
  );
  if (wrong !== undefined) {
    throw new StartError(
      `unable to use the namespace ${namespace}; its search attribute ${wrong[0]} is not a ${wrong[1]}: use another namespace`,
    );
  }
  const missing = wanted.filter(([name]) => customAttributes?.[name] === undefined);
  if (missing.length === 0) return;
  try {
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map(([name, type]) => [name, types[type]])),
    });
  } catch (cause) {
    const flags = missing.map(([name, type]) => `--name ${name} --type ${type}`).join(' ');
    throw new StartError(
      `unable to add search attributes to the namespace ${namespace}; run: temporal operator search-attribute create --namespace ${namespace} ${flags}`,
      { cause },
    );
  }
  await untilKnown(
    connection,
    namespace,
    missing.map(([name]) => name),
  );
}

/** The server's own caches learn of a new attribute a little later than its answer says. */
async function untilKnown(connection: NativeConnection, namespace: string, names: readonly string[]): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    if (names.every((name) => customAttributes?.[name] !== undefined)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new StartError(
    `unable to use new search attributes in the namespace ${namespace}; the server did not learn them in 10 s: start again`,
  );
}
