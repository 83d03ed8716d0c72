// C1, C5, A10, A18: whatever breaks in the middle of a turn, its end is the model's exact text or an explicit error, the
// same for everybody who reads it. Random plans of faults, drawn by a seed; `npm run chaos -- plans` plays hundreds.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { drawPlan } from './draw-plan.ts';
import { toReport } from './report.ts';
import { counts, createPlayground, describeFailure, runPlans, type Playground } from './run-plans.ts';

const seed = 1;
const plans = 25;

let playground: Playground;
beforeAll(async () => {
  playground = await createPlayground();
});
afterAll(() => playground.close());

test(`${plans} random plans of faults, from seed ${seed}, each end as the model’s exact text or as an explicit error`, async () => {
  const results = await runPlans(playground, { seed, plans, atOnce: 8 });
  const failed = results.filter(({ problems }) => problems.length > 0);
  if (failed.length > 0) throw new Error(`${failed.map(describeFailure).join('\n')}\n${toReport(results)}`);
  expect(results.filter(counts).length).toBeGreaterThanOrEqual(plans);
}, 300_000);

test('a seed draws the same plan again, another one another plan', () => {
  expect(drawPlan(seed)).toEqual(drawPlan(seed));
  expect(drawPlan(seed)).not.toEqual(drawPlan(seed + 1));
});
