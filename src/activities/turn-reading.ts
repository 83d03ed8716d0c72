// What the first step of a turn reads before it writes: the conversation as it seems, the agent, the knowledge. Nothing
// of it is decided or kept here, so that it may begin as soon as the turn does, while Temporal still hands the step to a
// worker: what the conversation was foreseen to be is proved under its lock before it counts.

import type { TurnId } from '../protocol/ids.ts';
import type { AgentCatalogue, AgentDefinition, Foreseen, KnowledgeHit, TurnGraph } from '../protocol/ports.ts';
import type { TurnInput } from '../protocol/turn.ts';

/** Exchanges read at most; the budget of tokens decides how many are used. */
export const maxExchanges = 50;

export interface Found {
  readonly agent: AgentDefinition;
  readonly knowledge: readonly KnowledgeHit[];
}

/** Settled, not awaited: whoever the graph refuses is told that, and not what an agent's file is like. */
export interface TurnReading {
  readonly found: Promise<PromiseSettledResult<Found>>;
  readonly foreseen: Promise<PromiseSettledResult<Foreseen | null>>;
}

export interface TurnReader {
  /** Reads all but the conversation, now. */
  find(turn: TurnInput): TurnReading['found'];
  /** Begins to read for a step of this worker that is to come. */
  begin(turn: TurnInput): void;
  /** What was begun a moment ago, once; else reads now. */
  take(turn: TurnInput): TurnReading;
}

export interface TurnReaderDependencies {
  readonly graph: Pick<TurnGraph, 'foresee' | 'searchKnowledge'>;
  readonly agents: Pick<AgentCatalogue, 'load'>;
  readonly nowMs: () => number;
}

/** A verdict that comes later than this must not be missing in a prompt; the step follows within milliseconds. */
const freshMs = 1_000;
/** Begun for steps that another worker got. */
const maxBegun = 64;

export function createTurnReader({ graph, agents, nowMs }: TurnReaderDependencies): TurnReader {
  const begun = new Map<TurnId, { readonly reading: TurnReading; readonly atMs: number }>();

  const findNow = async ({ agentId, text }: TurnInput): Promise<Found> => {
    const agent = await agents.load(agentId);
    return { agent, knowledge: agent.contextItems === 0 ? [] : await graph.searchKnowledge(text, agent.contextItems) };
  };
  const find = (turn: TurnInput): TurnReading['found'] => settle(findNow(turn));
  const read = (turn: TurnInput): TurnReading => ({
    found: find(turn),
    foreseen: settle(graph.foresee(turn, maxExchanges)),
  });
  return {
    find,
    begin(turn) {
      for (const [turnId, { atMs }] of begun) {
        if (begun.size < maxBegun && nowMs() - atMs < freshMs) break;
        begun.delete(turnId);
      }
      begun.set(turn.turnId, { reading: read(turn), atMs: nowMs() });
    },
    take(turn) {
      const known = begun.get(turn.turnId);
      begun.delete(turn.turnId);
      return known !== undefined && nowMs() - known.atMs < freshMs ? known.reading : read(turn);
    },
  };
}

const settle = <Value>(promise: Promise<Value>): Promise<PromiseSettledResult<Value>> =>
  promise.then(
    (value) => ({ status: 'fulfilled', value }),
    (reason: unknown) => ({ status: 'rejected', reason }),
  );
