// What any live lane does, asked of each adapter. `there` publishes and `here` subscribes: one lane for an adapter that
// lives within a process, two on one server for one that lives between them.

import { afterEach, expect, test } from '@jest/globals';
import type { LiveLane } from '../../src/protocol/ports.ts';
import { createScript, listen } from './lane-events.ts';

export interface LanePair {
  readonly there: LiveLane;
  readonly here: LiveLane;
  close(): Promise<void>;
}

export function testLane(open: () => Promise<LanePair>): void {
  let pair: LanePair;
  const opened = async (): Promise<LanePair> => (pair = await open());
  afterEach(() => pair.close());

  test('events arrive in the order in which they were published', async () => {
    const { here, there } = await opened();
    const { turnId, begin, delta } = createScript();
    const heard = listen(here, turnId);
    for (const event of begin) there.publish(event);
    await heard.until(({ events }) => events.length === 3);
    for (const text of ['A job ', 'is ', 'restarted.']) there.publish(delta(text));
    await heard.untilAnswer('A job is restarted.');
    expect(heard.events.slice(0, 3)).toEqual(begin);
    expect(heard.events.flatMap((event) => (event.type === 'delta' ? [event.text] : [])).join('')).toBe(
      'A job is restarted.',
    );
  });

  test('who subscribes late is told what there was, then what comes', async () => {
    const { here, there } = await opened();
    const { turnId, begin, delta } = createScript();
    const first = listen(here, turnId);
    for (const event of [...begin, delta('A job '), delta('is ')]) there.publish(event);
    await first.untilAnswer('A job is ');
    const late = listen(here, turnId);
    await late.untilAnswer('A job is ');
    there.publish(delta('restarted.'));
    await Promise.all([first, late].map((heard) => heard.untilAnswer('A job is restarted.')));
  });

  test('who subscribes in the middle of a burst misses nothing of it', async () => {
    const { here, there } = await opened();
    const { turnId, begin, delta } = createScript();
    for (const event of begin) there.publish(event);
    const words = Array.from({ length: 2_000 }, (_, n) => `${n} `);
    const heard: ReturnType<typeof listen>[] = [];
    for (const [n, word] of words.entries()) {
      there.publish(delta(word));
      if (n % 500 === 250) heard.push(listen(here, turnId));
      if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(heard.map((one) => one.untilAnswer(words.join(''))));
  });

  test('turns do not meet, and an ended subscription is told nothing', async () => {
    const { here, there } = await opened();
    const [one, other] = [createScript(), createScript()];
    const [ended, heard, stranger] = [listen(here, one.turnId), listen(here, one.turnId), listen(here, other.turnId)];
    for (const event of one.begin) there.publish(event);
    await Promise.all([ended, heard].map((each) => each.until(({ events }) => events.length === 3)));
    ended.end();
    there.publish(one.delta('text'));
    for (const event of other.begin) there.publish(event);
    await Promise.all([heard.untilAnswer('text'), stranger.until(({ events }) => events.length === 3)]);
    expect([ended.answer, heard.answer]).toEqual(['', 'text']);
    expect(stranger.events).toEqual(other.begin);
  });

  test('a subscription that ends and begins again is told everything again', async () => {
    const { here, there } = await opened();
    const { turnId, begin, delta } = createScript();
    const heard = listen(here, turnId);
    for (const event of begin) there.publish(event);
    await heard.until(({ events }) => events.length === 3);
    heard.end();
    const again = listen(here, turnId);
    there.publish(delta('text'));
    await again.untilAnswer('text');
    expect(again.events.slice(0, 3)).toEqual(begin);
  });

  test('a stop reaches who listens then, once, and no later attempt', async () => {
    const { here, there } = await opened();
    const { turnId } = createScript();
    const other = createScript();
    const stops: string[] = [];
    const told = new Promise<void>((resolve) => {
      there.onStop(turnId, (at) => {
        stops.push(at);
        resolve();
      });
    });
    there.onStop(other.turnId, (at) => stops.push(`other ${at}`));
    here.requestStop(turnId, '2026-01-01T00:00:01.000Z');
    await told;
    const later: string[] = [];
    const end = there.onStop(turnId, (at) => later.push(at));
    end();
    there.onStop(turnId, (at) => later.push(at));
    const asked = new Promise<void>((resolve) => there.onStop(turnId, () => resolve()));
    here.requestStop(turnId, '2026-01-01T00:00:02.000Z');
    await asked;
    expect(later).toEqual(['2026-01-01T00:00:02.000Z']);
    expect(stops).toEqual(['2026-01-01T00:00:01.000Z', '2026-01-01T00:00:02.000Z']);
  });

  test('publishing neither waits nor throws, also after the close', async () => {
    const { there } = await opened();
    const { begin, delta } = createScript();
    await there.close();
    for (const event of [...begin, delta('text')]) expect(there.publish(event)).toBeUndefined();
  });
}
