// The tiers' additions out of the configuration, whose keys are flat so that each has a variable of its own.

import type { Config } from '../config.ts';
import type { TierPolicies } from '../protocol/tiers.ts';

export const toTiers = ({ tiers }: Pick<Config, 'tiers'>): TierPolicies => ({
  free: { extraAttempts: tiers.freeExtraAttempts, support: tiers.freeSupport },
  early: { extraAttempts: tiers.earlyExtraAttempts, support: tiers.earlySupport },
  mid: { extraAttempts: tiers.midExtraAttempts, support: tiers.midSupport },
  enterprise: { extraAttempts: tiers.enterpriseExtraAttempts, support: tiers.enterpriseSupport },
});
