// A reply that ended at a limit of length is the one thing that is kept although it is not whole – and says so wherever
// it is: in the event, the receipt, the store and REST.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { answer } from '../../testing/upstream/upstream.ts';
import { expectHonesty, expectNextWorks, expectTries, startFailureRig, type FailureRig } from './failure-rig.ts';

let rig: FailureRig;
beforeAll(async () => {
  rig = await startFailureRig();
});
afterAll(() => rig.close());

test('finish_reason length is an answer that is marked as incomplete everywhere', async () => {
  const turn = await rig.run('patient', [answer(['half ', 'an answ'], { finishReason: 'length' })]);
  expectTries(turn, [null]);
  expectHonesty(turn);
  const text = 'half an answ';
  expect(turn.log.find((event) => event.type === 'agent_completed')).toMatchObject({
    text,
    finishReason: 'length',
    incomplete: true,
  });
  expect(turn.view).toMatchObject({ state: 'completed', answer: text, error: null });
  expect(turn.view.receipt).toMatchObject({ incomplete: true, attempts: [{ finishReason: 'length' }] });
  expect(turn.stored).toMatchObject({ outcome: 'completed', answer: text, incomplete: true });
  expectNextWorks(turn);
});

test('an answer that is whole is marked as incomplete nowhere', async () => {
  const turn = await rig.run('patient', [answer(['a whole ', 'answer'])]);
  expect(turn.log.find((event) => event.type === 'agent_completed')).toMatchObject({ incomplete: false });
  expect(turn.view.receipt).toMatchObject({ incomplete: false });
  expect(turn.stored).toMatchObject({ incomplete: false });
});
