// What a tier adds to what everybody has. A tier changes how much patience is spent and whom to ask, never what is true:
// nothing here can take a published try away, and every tier sees the same errors.

import type { AgentPlan } from './activities.ts';
import type { ErrorInfo } from './errors.ts';
import type { Tier } from './turn.ts';

export interface TierPolicy {
  /** Tries of a model call on top of the agent's; 0 or more. */
  readonly extraAttempts: number;
  /** Told with every error of a turn: a sentence or an address. `null`: nothing is told. */
  readonly support: string | null;
}

export type TierPolicies = Readonly<Record<Tier, TierPolicy>>;

const published: TierPolicy = { extraAttempts: 0, support: null };

/** Every tier as published: the same. */
export const publishedTiers: TierPolicies = {
  free: published,
  early: published,
  mid: published,
  enterprise: published,
};

export const toTierPlan = (plan: AgentPlan, { extraAttempts, support }: TierPolicy): AgentPlan => ({
  ...plan,
  maxAttempts: plan.maxAttempts + Math.max(0, extraAttempts),
  ...(support === null ? {} : { support }),
});

/** Absent stays absent: a client shows no empty line. */
export const withSupport = (error: ErrorInfo, support: string | null): ErrorInfo =>
  support === null ? error : { ...error, support };
