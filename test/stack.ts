// A whole Candor for a test of this repository: the kit's, against the run's Temporal and Neo4j and over the agents of
// this checkout. Each has a task queue of its own, so that test files do not answer each other's turns.

import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { ConversationId, TurnId } from '../src/protocol/ids.ts';
import type { LogLevel } from '../src/run/log.ts';
import { startCandor, type StartedCandor, type StartOptions } from '../testing/candor/start-candor.ts';
import { foundServers } from './found-servers.ts';

export { wireKey } from '../testing/candor/start-candor.ts';
export { foundServers as testServers };

export type Stack = StartedCandor;

export interface StackOptions extends Omit<StartOptions, 'servers' | 'agentsDir' | 'agentId' | 'logLevel'> {
  readonly agentsDir?: string;
  /** Another Temporal than the run's: one that the test may take away. Then also another Neo4j. */
  readonly temporal?: StartOptions['servers']['temporal'];
  readonly neo4j?: StartOptions['servers']['neo4j'];
}

export const newTurnId = (): TurnId => randomUUID() as TurnId;
export const newConversationId = (): ConversationId => randomUUID() as ConversationId;

export function startStack({ temporal, neo4j, decorate, ...options }: StackOptions = {}): Promise<Stack> {
  const run = foundServers();
  return startCandor({
    agentsDir: fileURLToPath(new URL('../agents', import.meta.url)),
    agentId: 'operator',
    ...options,
    servers: { ...run, temporal: temporal ?? run.temporal, neo4j: neo4j ?? run.neo4j },
    decorate: {
      ...decorate,
      graph(inner) {
        const graph = decorate?.graph?.(inner) ?? inner;
        // Files share the run's graph, and some link turns there that never had a workflow: they are not to be swept.
        return neo4j === undefined ? { ...graph, openTurns: async () => [], isEngineOfTurns: async () => true } : graph;
      },
    },
    logLevel: (process.env['CANDOR_TEST_LOG_LEVEL'] ?? 'fatal') as LogLevel,
  });
}
