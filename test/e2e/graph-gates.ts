// Holds or breaks single calls at the graph's port, so that a test is in the middle of a step of a turn and knows it.

import type { Graph } from '../../src/graph/neo4j.ts';
import { CandorError } from '../../src/protocol/errors.ts';
import type { TurnId } from '../../src/protocol/ids.ts';

/** `link` is about to be committed, `linked` has been and nobody was told, whichever way the turn is linked. */
export type GatedMoment = 'link' | 'linked' | 'storeTurn';

export interface Gate {
  /** The call has come and waits. */
  readonly reached: Promise<void>;
  open(): void;
}

export interface GraphGates {
  readonly decorate: (graph: Graph) => Graph;
  /** The turn waits at this moment until the gate is opened. */
  hold(moment: GatedMoment, turnId: TurnId): Gate;
  /** The turn's next link is committed, and its reply is lost. */
  loseLinkReply(turnId: TurnId): void;
}

export function createGraphGates(): GraphGates {
  const gates = new Map<string, { reach: () => void; opened: Promise<void> }>();
  const losing = new Set<TurnId>();
  const pass = async (moment: GatedMoment, turnId: TurnId): Promise<void> => {
    const gate = gates.get(`${moment} ${turnId}`);
    gate?.reach();
    await gate?.opened;
  };
  const linking = async <Result>(turnId: TurnId, link: () => Promise<Result>): Promise<Result> => {
    await pass('link', turnId);
    const result = await link();
    await pass('linked', turnId);
    if (losing.delete(turnId)) throw new CandorError('graph_unavailable');
    return result;
  };
  return {
    decorate: (graph) => ({
      ...graph,
      linkTurn: (input) => linking(input.turn.turnId, () => graph.linkTurn(input)),
      linkForeseen: (turn, foreseen, prompt) => linking(turn.turnId, () => graph.linkForeseen(turn, foreseen, prompt)),
      async storeTurn(input) {
        await pass('storeTurn', input.turnId);
        return graph.storeTurn(input);
      },
    }),
    hold(moment, turnId) {
      let reach: () => void = () => undefined;
      let open: () => void = () => undefined;
      const reached = new Promise<void>((resolve) => (reach = resolve));
      const opened = new Promise<void>((resolve) => (open = resolve));
      gates.set(`${moment} ${turnId}`, { reach, opened });
      return { reached, open };
    },
    loseLinkReply: (turnId) => void losing.add(turnId),
  };
}
