// How patient the librarian is, as its file says. Minutes pass in milliseconds: real workflows on Temporal's
// time-skipping server, and a model that is told at the port what to do.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { answered, createTurnRig, downFor, failing, loadAgent, outcomeOf, type TurnRig } from 'candor/testing';

const agentsDir = fileURLToPath(new URL('agents', import.meta.url));
const secondMs = 1_000;
const minuteMs = 60 * secondMs;

let rig: TurnRig;
// A turn that is answered starts its audit, and from then on the rig's clock stands still: each test has its own.
beforeEach(async () => {
  rig = await createTurnRig();
});
afterEach(() => rig.close());

test('the librarian asks six times, and waits longer each time', async () => {
  const turn = await rig.start({ agent: await loadAgent(agentsDir, 'librarian'), model: downFor(2 * minuteMs) });
  const { outcome, error, attempts } = await outcomeOf(turn);

  assert.equal(outcome, 'failed');
  assert.equal(error?.code, 'llm_unavailable');
  assert.equal(attempts.length, 6);
  for (const [index, expected] of [1, 2, 4, 8, 16].entries()) {
    const waitMs = attempts[index]?.waitMs ?? 0;
    assert.ok(Math.abs(waitMs - expected * secondMs) <= 0.2 * expected * secondMs, `waited ${waitMs} ms`);
  }
  assert.equal(attempts.at(-1)?.waitMs, null);
});

test('a provider that is away for ten seconds is waited for', async () => {
  const model = downFor(10 * secondMs, answered({ text: 'Three weeks.' }));
  const turn = await rig.start({ agent: await loadAgent(agentsDir, 'librarian'), model });
  const { outcome, attempts } = await outcomeOf(turn);

  assert.equal(outcome, 'completed');
  assert.equal(attempts.at(-1)?.code, null);
  assert.ok(attempts.length > 3);
});

test('a used-up quota is not asked again', async () => {
  const model = failing(['llm_quota_exhausted']);
  const turn = await rig.start({ agent: await loadAgent(agentsDir, 'librarian'), model });
  const { error, attempts } = await outcomeOf(turn);

  assert.equal(error?.code, 'llm_quota_exhausted');
  assert.equal(attempts.length, 1);
});
