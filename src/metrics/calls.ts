// A worker's model calls in Prometheus' terms.

import { Counter, Gauge, type Registry } from 'prom-client';
import type { CallMetrics } from '../activities/call-metrics.ts';

export function createCallMetrics(registry: Registry): CallMetrics {
  const registers = [registry];
  const streaming = new Gauge({ name: 'candor_turns_streaming', help: 'Model calls that run here now.', registers });
  const attempts = new Counter({
    name: 'candor_attempts_total',
    help: 'Model calls that ended, by outcome: answered, stopped, bug, or the code of the error.',
    labelNames: ['outcome'],
    registers,
  });
  const streamed = new Counter({
    name: 'candor_streamed_characters_total',
    help: 'UTF-16 units that models sent, answers and reasoning, counted at the end of each call.',
    registers,
  });
  const tokens = new Counter({
    name: 'candor_tokens_total',
    help: 'Tokens as backends count them; calls without usage add nothing.',
    labelNames: ['kind'],
    registers,
  });
  return {
    callBegan: () => streaming.inc(),
    callEnded(outcome, chars, { promptTokens, completionTokens }) {
      streaming.dec();
      attempts.inc({ outcome });
      streamed.inc(chars ?? 0);
      tokens.inc({ kind: 'prompt' }, promptTokens ?? 0);
      tokens.inc({ kind: 'completion' }, completionTokens ?? 0);
    },
  };
}
