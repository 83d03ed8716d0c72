// First step of a turn: prove the owner, link the turn, and store the prompt of what the model needs to answer. The
// prompt leaves this place by its hash only; the model call that follows in the same worker is handed a copy.

import { Context } from '@temporalio/activity';
import type { RetrieveAgentInput, RetrieveAgentResult } from '../protocol/activities.ts';
import { toPlan } from '../protocol/agent-plan.ts';
import { CandorError } from '../protocol/errors.ts';
import type { AgentDefinition, Foreseen, LiveLane, StoredPrompt, TurnGraph } from '../protocol/ports.ts';
import { toTierPlan, withSupport, type TierPolicies } from '../protocol/tiers.ts';
import type { TurnInput } from '../protocol/turn.ts';
import { toFailure } from './failures.ts';
import type { HandedOver } from './handed-over.ts';
import { assemblePrompt } from './prompt.ts';
import { maxExchanges, type TurnReader, type TurnReading } from './turn-reading.ts';

export interface RetrieveAgentDependencies {
  readonly graph: Pick<TurnGraph, 'linkForeseen' | 'linkTurn' | 'history' | 'savePrompt'>;
  readonly reader: Pick<TurnReader, 'find' | 'take'>;
  readonly lane: LiveLane;
  /** Name of the backend's model for agents that name none. */
  readonly defaultModel: string;
  readonly tiers: TierPolicies;
  readonly handedOver: HandedOver;
}

export function createRetrieveAgent(dependencies: RetrieveAgentDependencies) {
  const { graph, reader, lane, defaultModel, tiers, handedOver } = dependencies;

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
  const retrieveForeseen = async (turn: TurnInput, reading: TurnReading): Promise<RetrieveAgentResult | null> => {
    const [found, foreseen] = await Promise.all([reading.found, reading.foreseen]);
    // What is wrong with an agent is told after linking: the turn that fails of it stands in its conversation.
    if (found.status === 'rejected' || foreseen.status === 'rejected' || foreseen.value === null) return null;
    const { agent, knowledge } = found.value;
    const prompt = assemblePrompt(agent, foreseen.value.history, knowledge, turn);
    if (!(await graph.linkForeseen(turn, foreseen.value, prompt))) return null;
    return toReady(turn, agent, foreseen.value, prompt);
  };

  const retrieve = async ({ turn, released, releasedIsGone }: RetrieveAgentInput): Promise<RetrieveAgentResult> => {
    // Behind a turn that was waited for, the list of open ones is not what decides.
    const reading = released === null ? reader.take(turn) : null;
    const ready = reading === null ? null : await retrieveForeseen(turn, reading);
    if (ready !== null) return ready;
    const finding = reading?.found ?? reader.find(turn);
    const linked = await graph.linkTurn({ turn, released, releasedIsGone });
    if (linked.kind === 'full') throw new CandorError('conversation_busy');
    if (linked.kind !== 'linked') return linked;
    const [found, history] = await Promise.all([finding, graph.history(turn.turnId, maxExchanges)]);
    if (found.status === 'rejected') throw found.reason;
    const { agent, knowledge } = found.value;
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
