// What the workflow is told of an agent: everything but its prompt, which no history ever holds.

import type { AgentPlan } from './activities.ts';
import type { AgentDefinition } from './ports.ts';

/** @param defaultModel for agents that name none */
export function toPlan(agent: AgentDefinition, defaultModel: string): AgentPlan {
  const { id, name, model, temperature, maxTokens, maxSteps, maxAttempts, timeouts, turnMs } = agent;
  return {
    agentId: id,
    name,
    model: model ?? defaultModel,
    temperature,
    maxTokens,
    maxSteps,
    maxAttempts,
    timeouts,
    turnMs,
  };
}
