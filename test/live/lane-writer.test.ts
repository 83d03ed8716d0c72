import { describe, expect, test } from '@jest/globals';
import { createLaneWriter, type TurnBatch } from '../../src/live/lane-writer.ts';
import { createScript } from './lane-events.ts';

const maxChars = 64 * 1024;
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const textOf = (batches: readonly TurnBatch[]): string =>
  batches.flatMap(({ events }) => events.flatMap((event) => (event.type === 'delta' ? [event.text] : []))).join('');

describe('what leaves a process by the lane', () => {
  test('leaves together when it was published within a tick, text as one piece, without waiting for an answer', async () => {
    const sent: (readonly TurnBatch[])[] = [];
    const never = new Promise<'answered'>(() => undefined);
    const writer = createLaneWriter({
      isReady: () => true,
      send: (batches) => {
        sent.push(batches);
        return never;
      },
      maxChars,
    });
    const [one, other] = [createScript(), createScript()];
    for (const text of ['A job ', 'is ', 'restarted']) writer.write(one.delta(text));
    writer.write(other.delta('Another'));
    await tick();
    writer.write(one.delta('.'));
    await tick();
    expect(sent.map((batches) => batches.map(({ turnId }) => turnId))).toEqual([
      [one.turnId, other.turnId],
      [one.turnId],
    ]);
    expect(sent[0]?.map(({ events }) => events.length)).toEqual([1, 1]);
    expect(sent.map(textOf)).toEqual(['A job is restartedAnother', '.']);
  });

  test('does not grow while the other side is away: the turn that waited longest is left to the durable side', async () => {
    let isReady = false;
    const sent: TurnBatch[] = [];
    const writer = createLaneWriter({
      isReady: () => isReady,
      send: (batches) => {
        sent.push(...batches);
        return Promise.resolve('answered');
      },
      maxChars,
    });
    const scripts = Array.from({ length: 100 }, () => createScript());
    for (let n = 0; n < 100; n++) {
      for (const { delta } of scripts) writer.write(delta('some text '.repeat(10)));
      expect(writer.heldChars).toBeLessThanOrEqual(maxChars);
    }
    isReady = true;
    await writer.settled();
    expect(writer.heldChars).toBe(0);
    expect(sent.length).toBeGreaterThan(0);
    expect(sent.length).toBeLessThan(100);
  });

  test('does not grow while the other side does not answer, and goes on when it does', async () => {
    const answers: (() => void)[] = [];
    let sentText = '';
    const writer = createLaneWriter({
      isReady: () => true,
      send: (batches) => {
        sentText += textOf(batches);
        return new Promise((resolve) => answers.push(() => resolve('answered')));
      },
      maxChars,
    });
    const { delta } = createScript();
    for (let n = 0; n < 2_000; n++) {
      writer.write(delta('0123456789'));
      if (n % 10 === 0) await tick();
      expect(writer.heldChars).toBeLessThanOrEqual(2 * maxChars);
    }
    while (answers.length > 0) {
      answers.shift()?.();
      await tick();
    }
    expect(sentText).toHaveLength(20_000);
  });

  test('is sent again when the connection was lost before its answer, before what came meanwhile', async () => {
    const sent: string[] = [];
    let isReady = true;
    const writer = createLaneWriter({
      isReady: () => isReady,
      send: async (batches) => {
        sent.push(textOf(batches));
        if (sent.length > 1) return 'answered';
        isReady = false;
        writer.write(delta('second'));
        return 'lost';
      },
      maxChars,
    });
    const { delta } = createScript();
    writer.write(delta('first '));
    await tick();
    await tick();
    isReady = true;
    await writer.settled();
    expect(sent).toEqual(['first ', 'first second']);
  });

  test('waits for the next connection when this one loses everything and looks ready all the same', async () => {
    let sent = 0;
    const writer = createLaneWriter({
      isReady: () => true,
      send: () => {
        sent += 1;
        return Promise.resolve('lost');
      },
      maxChars,
    });
    writer.write(createScript().delta('text'));
    for (let n = 0; n < 5; n++) await tick();
    expect(sent).toBe(1);
  });
});
