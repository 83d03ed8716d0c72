// First step of a turn: prove the owner, link the turn, and store the prompt of what the model needs to answer. The
// prompt leaves this place by its hash only; the model call that follows in the same worker is handed a copy.

import { Context } from '@temporalio/activity';
import type { RetrieveAgentInput, RetrieveAgentResult } from '../protocol/activities.ts';
import { toPlan } from '../protocol/agent-plan.ts';
import { CandorError } from '../protocol/errors.ts';
import type {
  AgentCatalogue,
  AgentDefinition,
  Foreseen,
  KnowledgeHit,
  LiveLane,
  StoredPrompt,
  TurnGraph,
} from '../protocol/ports.ts';
import { toTierPlan, withSupport, type TierPolicies } from '../protocol/tiers.ts';
import type { TurnInput } from '../protocol/turn.ts';
import { toFailure } from './failures.ts';
import type { HandedOver } from './handed-over.ts';
import { assemblePrompt } from './prompt.ts';

export interface RetrieveAgentDependencies {
  readonly graph: TurnGraph;
  readonly agents: AgentCatalogue;
  readonly lane: LiveLane;
  /** Name of the backend's model for agents that name none. */
  readonly defaultModel: string;
  readonly tiers: TierPolicies;
  readonly handedOver: HandedOver;
}

/** What a prompt is made of beside the conversation. */
interface Reading {
  readonly agent: AgentDefinition;
  readonly knowledge: readonly KnowledgeHit[];
}
type SettledReading = Promise<[PromiseSettledResult<Reading>]>;

/** Exchanges read at most; the budget of tokens decides how many are used. */
const maxExchanges = 50;

export function createRetrieveAgent(dependencies: RetrieveAgentDependencies) {
  const { graph, agents, lane, defaultModel, tiers, handedOver } = dependencies;

  const readFor = async ({ agentId, text }: TurnInput): Promise<Reading> => {
    const agent = await agents.load(agentId);
    return { agent, knowledge: agent.contextItems === 0 ? [] : await graph.searchKnowledge(text, agent.contextItems) };
  };

  /** The prompt is stored. */
  const toReady = (
    { turnId, tier }: TurnInput,
    agent: AgentDefinition,
    { parentTurnId, previousReceiptSha256 }: Pick<Foreseen, 'parentTurnId' | 'previousReceiptSha256'>,
    prompt: StoredPrompt,
  ): RetrieveAgentResult => {
    handedOver.give(turnId, prompt);
    return {
      kind: 'ready',
      plan: toTierPlan(toPlan(agent, defaultModel), tiers[tier]),
      parentTurnId,
      previousReceiptSha256,
      promptSha256: prompt.sha256,
      context: prompt.context,
    };
  };

  /** The way of most turns; `null`: it is not this simple, and nothing was written. */
  const retrieveForeseen = async (turn: TurnInput, reading: SettledReading): Promise<RetrieveAgentResult | null> => {
    const [foreseen, [read]] = await Promise.all([graph.foresee(turn, maxExchanges), reading]);
    // What is wrong with an agent is told after linking: the turn that fails of it stands in its conversation.
    if (foreseen === null || read.status === 'rejected') return null;
    const { agent, knowledge } = read.value;
    const prompt = assemblePrompt(agent, foreseen.history, knowledge, turn);
    if (!(await graph.linkForeseen(turn, foreseen, prompt))) return null;
    return toReady(turn, agent, foreseen, prompt);
  };

  const retrieve = async ({ turn, released, releasedIsGone }: RetrieveAgentInput): Promise<RetrieveAgentResult> => {
    // Settled, not awaited: whoever is refused by the graph is told that, and not what an agent's file is like.
    const reading = Promise.allSettled([readFor(turn)]);
    const ready = released === null ? await retrieveForeseen(turn, reading) : null;
    if (ready !== null) return ready;
    const linked = await graph.linkTurn({ turn, released, releasedIsGone });
    if (linked.kind === 'full') throw new CandorError('conversation_busy');
    if (linked.kind !== 'linked') return linked;
    const [[read], history] = await Promise.all([reading, graph.history(turn.turnId, maxExchanges)]);
    if (read.status === 'rejected') throw read.reason;
    const { agent, knowledge } = read.value;
    const prompt = assemblePrompt(agent, history, knowledge, turn);
    await graph.savePrompt(turn.turnId, prompt);
    return toReady(turn, agent, linked, prompt);
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
