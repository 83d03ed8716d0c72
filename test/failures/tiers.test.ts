// A tier changes how often a model is asked and who is named as support; it never changes what is true: every tier sees
// the same course, the same codes and no answer that nobody gave (C1).

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { terminalOf } from '../../src/protocol/transcript.ts';
import { publishedTiers } from '../../src/protocol/tiers.ts';
import type { Tier } from '../../src/protocol/turn.ts';
import { answer, refuse } from '../../testing/upstream/upstream.ts';
import { newConversationId, newTurnId } from '../stack.ts';
import type { Evidence } from './evidence.ts';
import { expectHonesty, expectNoAnswer, expectTries, startFailureRig, type FailureRig } from './failure-rig.ts';

const tiers: readonly Tier[] = ['free', 'early', 'mid', 'enterprise'];
const down = refuse(503, 'away');

/** Every tier's turn while the provider is down, all at the same time. */
const askAll = async (rig: FailureRig): Promise<ReadonlyMap<Tier, Evidence>> =>
  new Map(
    await Promise.all(
      tiers.map(async (tier): Promise<[Tier, Evidence]> => [tier, await rig.send('patient', [down], { tier })]),
    ),
  );
const errorsOf = ({ log }: Evidence) =>
  log.flatMap((event) => ('error' in event && event.error !== undefined ? [event.error] : []));

const support = 'Call +1 555 0100, day and night.';
let plain: FailureRig;
let rig: FailureRig;
let plainTurns: ReadonlyMap<Tier, Evidence>;
let turns: ReadonlyMap<Tier, Evidence>;
beforeAll(async () => {
  [plain, rig] = await Promise.all([
    startFailureRig(),
    startFailureRig({
      tiers: {
        ...publishedTiers,
        early: { extraAttempts: -3, support: null },
        mid: { extraAttempts: 0, support: 'https://example.com/help' },
        enterprise: { extraAttempts: 1, support },
      },
    }),
  ]);
  [plainTurns, turns] = await Promise.all([askAll(plain), askAll(rig)]);
}, 120_000);
afterAll(async () => {
  await plain.close();
  await rig.close();
});

describe('tiers as published', () => {
  test.each(tiers)('%s has four tries and the same errors as every other', (tier) => {
    const turn = plainTurns.get(tier) as Evidence;
    expectTries(turn, ['llm_unavailable', 'llm_unavailable', 'llm_unavailable', 'llm_unavailable']);
    expectNoAnswer(turn, 'llm_unavailable');
    expectHonesty(turn);
    const first = plainTurns.get('free') as Evidence;
    expect(errorsOf(turn)).toEqual(errorsOf(first));
    for (const error of errorsOf(turn)) expect(error).not.toHaveProperty('support');
  });
});

describe('tiers with additions', () => {
  test('give as many tries more as they say, and never fewer', () => {
    const triesOf = (tier: Tier): number => turns.get(tier)?.calls.length ?? 0;
    expect(tiers.map(triesOf)).toEqual([4, 4, 4, 5]);
    const thinking = (turns.get('enterprise') as Evidence).log.filter((event) => event.type === 'agent_thinking');
    expect(thinking.map(({ maxAttempts }) => maxAttempts)).toEqual([5, 5, 5, 5, 5]);
  });

  test('name their support in every error of the turn, and in no other tier’s', () => {
    const supportOf = (tier: Tier) => [...new Set(errorsOf(turns.get(tier) as Evidence).map((error) => error.support))];
    expect(tiers.map(supportOf)).toEqual([[undefined], [undefined], ['https://example.com/help'], [support]]);
    expect(turns.get('enterprise')?.view.error).toMatchObject({ code: 'llm_unavailable', support });
  });

  test('give no other end than an explicit error', () => {
    for (const turn of turns.values()) {
      expectNoAnswer(turn, 'llm_unavailable');
      expectHonesty(turn);
    }
  });

  test('name their support when the turn fails before a model is asked', async () => {
    const conversationId = newConversationId();
    await rig.send('patient', [answer('hers')], { conversationId });
    const eve = await rig.stack.connect({ user: 'eve', agentId: 'patient', tier: 'enterprise' });
    const turnId = newTurnId();
    eve.message(turnId, conversationId, 'What did she ask?');
    expect(terminalOf(await eve.untilEnd(turnId))).toMatchObject({
      error: { code: 'conversation_not_found', support },
    });
  });
});
