// Holds or breaks single calls at the graph's port, so that a test is in the middle of a step of a turn and knows it.

import type { Graph } from '../../src/graph/neo4j.ts';
import { CandorError } from '../../src/protocol/errors.ts';
import type { TurnId } from '../../src/protocol/ids.ts';

export type GatedMethod = 'linkTurn' | 'history' | 'storeTurn';

export interface Gate {
  /** The call has come and waits. */
  readonly reached: Promise<void>;
  open(): void;
}

export interface GraphGates {
  readonly decorate: (graph: Graph) => Graph;
  /** The turn's calls of this method wait until the gate is opened. */
  hold(method: GatedMethod, turnId: TurnId): Gate;
  /** The turn's next link is committed, and its reply is lost. */
  loseLinkReply(turnId: TurnId): void;
}

export function createGraphGates(): GraphGates {
  const gates = new Map<string, { reach: () => void; opened: Promise<void> }>();
  const losing = new Set<TurnId>();
  const pass = async (method: GatedMethod, turnId: TurnId): Promise<void> => {
    const gate = gates.get(`${method} ${turnId}`);
    gate?.reach();
    await gate?.opened;
  };
  return {
    decorate: (graph) => ({
      ...graph,
      async linkTurn(input) {
        await pass('linkTurn', input.turn.turnId);
        const result = await graph.linkTurn(input);
        if (losing.delete(input.turn.turnId)) throw new CandorError('graph_unavailable');
        return result;
      },
      async history(turnId, limit) {
        await pass('history', turnId);
        return graph.history(turnId, limit);
      },
      async storeTurn(input) {
        await pass('storeTurn', input.turnId);
        return graph.storeTurn(input);
      },
    }),
    hold(method, turnId) {
      let reach: () => void = () => undefined;
      let open: () => void = () => undefined;
      const reached = new Promise<void>((resolve) => (reach = resolve));
      const opened = new Promise<void>((resolve) => (open = resolve));
      gates.set(`${method} ${turnId}`, { reach, opened });
      return { reached, open };
    },
    loseLinkReply: (turnId) => void losing.add(turnId),
  };
}
