// First step of a turn: prove the owner and link the turn, then load what the model needs to answer. The prompt is
// stored under the turn and leaves this place by its hash only.

import { Context } from '@temporalio/activity';
import type { RetrieveAgentInput, RetrieveAgentResult } from '../protocol/activities.ts';
import { toPlan } from '../protocol/agent-plan.ts';
import { CandorError } from '../protocol/errors.ts';
import type { AgentCatalogue, LiveLane, TurnGraph } from '../protocol/ports.ts';
import { toTierPlan, withSupport, type TierPolicies } from '../protocol/tiers.ts';
import { toFailure } from './failures.ts';
import { assemblePrompt } from './prompt.ts';

export interface RetrieveAgentDependencies {
  readonly graph: TurnGraph;
  readonly agents: AgentCatalogue;
  readonly lane: LiveLane;
  /** Name of the backend's model for agents that name none. */
  readonly defaultModel: string;
  readonly tiers: TierPolicies;
}

/** Exchanges read at most; the budget of tokens decides how many are used. */
const maxExchanges = 50;

export function createRetrieveAgent({ graph, agents, lane, defaultModel, tiers }: RetrieveAgentDependencies) {
  const retrieve = async ({ turn, released, releasedIsGone }: RetrieveAgentInput): Promise<RetrieveAgentResult> => {
    const linked = await graph.linkTurn({ turn, released, releasedIsGone });
    if (linked.kind === 'full') throw new CandorError('conversation_busy');
    if (linked.kind !== 'linked') return linked;
    const agent = await agents.load(turn.agentId);
    const [history, knowledge] = await Promise.all([
      graph.history(turn.turnId, maxExchanges),
      agent.contextItems === 0 ? [] : graph.searchKnowledge(turn.text, agent.contextItems),
    ]);
    const prompt = assemblePrompt(agent, history, knowledge, turn);
    await graph.savePrompt(turn.turnId, prompt);
    const { parentTurnId, previousReceiptSha256 } = linked;
    const { sha256: promptSha256, context } = prompt;
    return {
      kind: 'ready',
      plan: toTierPlan(toPlan(agent, defaultModel), tiers[turn.tier]),
      parentTurnId,
      previousReceiptSha256,
      promptSha256,
      context,
    };
  };

  return async (input: RetrieveAgentInput): Promise<RetrieveAgentResult> => {
    try {
      return await retrieve(input);
    } catch (error) {
      if (error instanceof CandorError && error.code === 'graph_unavailable') {
        const { turnId, conversationId } = input.turn;
        const since = new Date(Context.current().info.scheduledTimestampMs).toISOString();
        lane.publish({
          type: 'waiting',
          turnId,
          conversationId,
          time: new Date().toISOString(),
          reason: 'graph',
          since,
          error: error.info,
        });
      }
      if (!(error instanceof CandorError)) throw error;
      throw toFailure(error, withSupport(error.info, tiers[input.turn.tier].support));
    }
  };
}
