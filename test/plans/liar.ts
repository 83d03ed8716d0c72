// A live lane that lies as a seed says.

import type { TurnEvent } from '../../src/protocol/events.ts';
import { createSeededRandom } from '../e2e/seeded-random.ts';

/** Loses a fifth of what is published, doubles a fifth, and holds a quarter back to send it later and backwards. */
export function createLiar(seed: number, lied: () => void) {
  const random = createSeededRandom(seed);
  const kept: TurnEvent[] = [];
  return (event: TurnEvent, publish: (event: TurnEvent) => void): void => {
    const fate = random();
    if (fate < 0.45 || fate > 0.8) lied();
    if (fate < 0.2) return;
    if (fate < 0.45) kept.push(event);
    else publish(event);
    if (fate > 0.8) publish(event);
    if (random() < 0.3) for (const late of kept.splice(0).reverse()) publish(late);
  };
}
