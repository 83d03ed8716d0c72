// The receipt of every end is signed once, before it is stored, and the one signature is in the store, in the terminal
// event and in the result.

import { describe, expect, test } from '@jest/globals';
import type { StoreConversationInput } from '../../src/protocol/activities.ts';
import type { Receipt } from '../../src/protocol/receipt.ts';
import type { TurnResult } from '../../src/protocol/turn.ts';
import { failureOf, logOf, moments } from './history.ts';
import { activityFailure, inTurn, streamFailure } from '../../testing/turns/turn-fakes.ts';
import { useWorkflowRig, type TurnUnderTest } from './turn-under-test.ts';

const rig = useWorkflowRig();

const receiptsStored = (turn: TurnUnderTest): readonly (Receipt | null)[] =>
  turn.callsOf('storeConversation').map(({ input }) => (input as StoreConversationInput).terminal.receipt);
const receiptsToSign = (turn: TurnUnderTest): readonly Receipt[] =>
  turn.callsOf('signReceipt').map(({ input }) => input as Receipt);

describe('the signature of a receipt', () => {
  test('of an answered turn is made once, of what is stored and told', async () => {
    const turn = await rig.start();
    const { log } = (await turn.handle.result()) as TurnResult;
    const [signed] = receiptsToSign(turn);
    const receipt = { ...signed, jws: 'signature of a completed turn' };
    expect(receiptsToSign(turn)).toHaveLength(1);
    expect(signed).not.toHaveProperty('jws');
    expect(receiptsStored(turn)).toEqual([receipt]);
    expect(log.at(-1)).toMatchObject({ type: 'turn_completed', receipt });
  });

  test('of a failed turn is in its failure, and in its record', async () => {
    const turn = await rig.start({ stream: inTurn(streamFailure('llm_auth')) });
    const log = logOf(await failureOf(turn.handle));
    const receipt = { outcome: 'failed', jws: 'signature of a failed turn' };
    expect(log.at(-1)).toMatchObject({ type: 'turn_failed', receipt });
    expect(receiptsStored(turn)).toMatchObject([receipt]);
  });

  test('of an answer that could not be stored is that of the failure which became of it', async () => {
    const turn = await rig.start({
      storeConversation: inTurn(activityFailure('internal'), { storedAt: '2026-01-02T03:04:05.000Z' }),
    });
    const log = logOf(await failureOf(turn.handle));
    expect(receiptsToSign(turn).map(({ outcome }) => outcome)).toEqual(['completed', 'failed']);
    expect(log.at(-1)).toMatchObject({ receipt: { outcome: 'failed', jws: 'signature of a failed turn' } });
  });

  test('that could not be made is missing, and the turn ends all the same', async () => {
    const turn = await rig.start({ signReceipt: inTurn(activityFailure('internal')) });
    const { outcome, log } = (await turn.handle.result()) as TurnResult;
    expect(outcome).toBe('completed');
    expect(log.at(-1)).toMatchObject({ type: 'turn_completed', receipt: { outcome: 'completed' } });
    expect(JSON.stringify(log)).not.toContain('jws');
    const markers = await moments(turn.handle, 'markerRecordedEventAttributes');
    expect(markers.filter(({ attributes }) => attributes.failure != null)).toHaveLength(1);
  });
});
