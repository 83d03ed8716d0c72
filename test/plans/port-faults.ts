// Faults at the ports of the worker that shares this process: one place that knows, by turn, which calls of the graph do
// not succeed and how the lane lies. A turn that nothing was said about is left alone.

import { setTimeout as delay } from 'node:timers/promises';
import type { Graph } from '../../src/graph/neo4j.ts';
import { CandorError } from '../../src/protocol/errors.ts';
import type { TurnEvent } from '../../src/protocol/events.ts';
import type { TurnId } from '../../src/protocol/ids.ts';
import type { LiveLane } from '../../src/protocol/ports.ts';
import type { GraphMethod } from './plan.ts';

/** What happens to one call of the graph. */
export type GraphFate = 'good' | 'away' | 'reply lost' | { readonly lateMs: number };

export interface TurnAtThePorts {
  /** Before the call; the call waits for it. */
  graphCalled(method: GraphMethod): Promise<GraphFate>;
  /** What the worker publishes, before the lane lies. */
  published(event: TurnEvent, publish: (event: TurnEvent) => void): void;
}

export interface PortFaults {
  readonly decorate: { readonly graph: (graph: Graph) => Graph; readonly lane: (lane: LiveLane) => LiveLane };
  readonly attach: (turnId: TurnId, turn: TurnAtThePorts) => void;
}

export function createPortFaults(): PortFaults {
  const turns = new Map<TurnId, TurnAtThePorts>();
  const through = async <Result>(turnId: TurnId, method: GraphMethod, call: () => Promise<Result>): Promise<Result> => {
    const fate = (await turns.get(turnId)?.graphCalled(method)) ?? 'good';
    if (fate === 'away') throw new CandorError('graph_unavailable');
    if (typeof fate === 'object') await delay(fate.lateMs);
    const result = await call();
    if (fate === 'reply lost') throw new CandorError('graph_unavailable');
    return result;
  };
  return {
    attach: (turnId, turn) => void turns.set(turnId, turn),
    decorate: {
      graph: (graph) => ({
        ...graph,
        foresee: (turn, limit) => through(turn.turnId, 'foresee', () => graph.foresee(turn, limit)),
        linkForeseen: (turn, foreseen, prompt) =>
          through(turn.turnId, 'linkForeseen', () => graph.linkForeseen(turn, foreseen, prompt)),
        linkTurn: (input) => through(input.turn.turnId, 'linkTurn', () => graph.linkTurn(input)),
        history: (turnId, limit) => through(turnId, 'history', () => graph.history(turnId, limit)),
        savePrompt: (turnId, prompt) => through(turnId, 'savePrompt', () => graph.savePrompt(turnId, prompt)),
        readPrompt: (turnId) => through(turnId, 'readPrompt', () => graph.readPrompt(turnId)),
        storeTurn: (input) => through(input.turnId, 'storeTurn', () => graph.storeTurn(input)),
      }),
      lane: (lane) => ({
        ...lane,
        publish(event) {
          const turn = turns.get(event.turnId);
          if (turn === undefined) lane.publish(event);
          else turn.published(event, (shown) => lane.publish(shown));
        },
      }),
    },
  };
}
