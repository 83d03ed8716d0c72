// `npm run chaos -- plans [--plans 500] [--seed N] [--at-once N]`, and for one plan `--plan SEED [--shrink]`.

import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { drawingBy, drawPlan, planArbitrary } from './draw-plan.ts';
import { describePlan } from './plan.ts';
import { toReport } from './report.ts';
import { createPlayground, describeFailure, runPlans, type PlanResult, type Playground } from './run-plans.ts';

/** A smaller plan is looked for at most so long. */
const shrinkMs = 10 * 60_000;

/** Resolves with false when a plan failed. */
export async function plansCommand(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      plans: { type: 'string', default: '500' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
      'at-once': { type: 'string', default: '8' },
      plan: { type: 'string' },
      shrink: { type: 'boolean', default: false },
    },
  });
  const playground = await createPlayground();
  try {
    if (values.plan === undefined) {
      return await playMany(playground, Number(values.seed), Number(values.plans), Number(values['at-once']));
    }
    return await (values.shrink ? shrink : playOne)(playground, Number(values.plan));
  } finally {
    await playground.close();
  }
}

async function playMany(playground: Playground, seed: number, plans: number, atOnce: number): Promise<boolean> {
  console.log(`${plans} plans, seed ${seed} (again: npm run chaos -- plans --plans ${plans} --seed ${seed})`);
  const results: PlanResult[] = [];
  const onResult = (result: PlanResult): void => {
    results.push(result);
    if (result.problems.length > 0) console.log(describeFailure(result));
    if (results.length % 50 === 0) console.log(`${results.length} plans played`);
  };
  try {
    await runPlans(playground, { seed, plans, atOnce, onResult });
  } finally {
    console.log(`\n${toReport(results)}`);
  }
  return results.every(({ problems }) => problems.length === 0);
}

async function playOne(playground: Playground, seed: number): Promise<boolean> {
  const result = await playground.play(drawPlan(seed), seed);
  console.log(describeFailure(result));
  return result.problems.length === 0;
}

/** fast-check makes the failing plan smaller, as long as it fails. */
async function shrink(playground: Playground, seed: number): Promise<boolean> {
  const survives = fc.asyncProperty(planArbitrary, async (plan) => {
    const result = await playground.play(plan, seed);
    if (result.problems.length > 0) throw new Error(result.problems.join('\n'));
  });
  const details = await fc.check(survives, { ...drawingBy(seed), interruptAfterTimeLimit: shrinkMs });
  const [smallest] = details.counterexample ?? [];
  if (smallest === undefined) console.log(`plan ${seed} was survived`);
  else
    console.log(
      `${describePlan(smallest)}\n${details.errorInstance instanceof Error ? details.errorInstance.message : ''}`,
    );
  return smallest === undefined;
}
