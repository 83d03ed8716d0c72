// The promise of the client behind a gateway that loses, repeats, reorders and corrects, over connections that break at any
// moment: in the end its user holds what the gateway holds, a loop over the events shows the same, and as long as nothing
// was corrected it was given every event and every character once. A failing run prints its seed.

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { startCursor, toCursor } from '../../src/protocol/cursor.ts';
import { isSequenced, isTerminal, type TurnEvent } from '../../src/protocol/events.ts';
import type { ClientFrame } from '../../src/protocol/frames.ts';
import { logHash } from '../../src/protocol/log-hash.ts';
import { applyEvent, emptyTranscript, eventsAfter, type Transcript } from '../../src/protocol/transcript.ts';
import { toView, withoutFinalReasoning } from '../protocol/transcript-view.ts';
import { anyScript, anyTexts, textOf, toEvents, type Texts } from '../protocol/turn-script.ts';
import { startFramePlayer } from './frame-player.ts';
import { show } from './shown.ts';

/**
 * What becomes of one event on its way: it comes, is lost, comes twice, comes behind the next one, or is sent with other
 * content first and corrected then. Before it the connection may break.
 */
const anyFate = fc.record({
  way: fc.constantFrom('comes', 'comes', 'comes', 'lost', 'twice', 'late', 'provisional'),
  cut: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
});
type Fate = typeof anyFate extends fc.Arbitrary<infer One> ? One : never;

/** What a retried workflow task may have said first in place of it. */
function toProvisional(event: TurnEvent): TurnEvent | null {
  return isSequenced(event) && !isTerminal(event) ? { ...event, time: '2020-01-01T00:00:00.000Z' } : null;
}

/** What a gateway does with a resume (R34, R62). */
function resumed(gateway: Transcript, frame: ClientFrame): readonly TurnEvent[] {
  if (frame.type !== 'resume') return [];
  const { cursor = { seq: 0 } } = frame;
  const isKnown =
    cursor.log === undefined || (cursor.seq <= gateway.log.length && cursor.log === logHash(gateway.log, cursor.seq));
  return eventsAfter(gateway, isKnown ? toCursor(cursor) : startCursor);
}

async function follow(events: readonly TurnEvent[], fates: readonly Fate[]) {
  let gateway = emptyTranscript;
  const player = await startFramePlayer((frame) => resumed(gateway, frame));
  try {
    const turn = player.client.resume(events[0]?.turnId ?? '');
    turn.subscribe(() => undefined);
    const shown = show(turn);
    let late: readonly TurnEvent[] = [];
    let isCorrected = false;
    for (const [index, event] of events.entries()) {
      const { way, cut } = fates[index] ?? { way: 'comes', cut: false };
      if (cut) await player.cut();
      const provisional = way === 'provisional' ? toProvisional(event) : null;
      if (provisional !== null) {
        gateway = applyEvent(gateway, provisional);
        isCorrected = true;
        await player.play(provisional);
      }
      gateway = applyEvent(gateway, event);
      const copies = way === 'lost' || way === 'late' ? [] : way === 'twice' ? [event, event] : [event];
      await player.play(...copies, ...late);
      late = way === 'late' ? [event] : [];
    }
    await player.cut();
    return { gateway, turn, shown, isCorrected };
  } finally {
    await player.close();
  }
}

/** Every event of the log once and in order; of every stream that was shown, text without a seam. */
function expectEachOnce(items: readonly TurnEvent[], texts: Texts): void {
  const seqs = items.filter(isSequenced).map(({ seq }) => seq);
  expect(seqs).toEqual(seqs.map((_, index) => index + 1));
  const have = new Map<string, number>();
  for (const item of items) {
    if (item.type !== 'delta') continue;
    const { step, attempt, channel, offset, text } = item;
    const at = `${step}/${attempt}/${channel}`;
    expect(offset).toBe(have.get(at) ?? 0);
    expect(text).toBe(textOf(texts, step, attempt, channel).slice(offset, offset + text.length));
    have.set(at, offset + text.length);
  }
}

test('whatever happens on the way, a turn is whole in the end and each piece of it was given once', async () => {
  const anyJourney = fc.tuple(anyScript, anyTexts).chain(([script, texts]) => {
    const events = toEvents(script, texts);
    const fates = fc.array(anyFate, { minLength: events.length, maxLength: events.length });
    return fates.map((drawn) => ({ events, texts, fates: drawn }));
  });
  await fc.assert(
    fc.asyncProperty(anyJourney, async ({ events, texts, fates }) => {
      const { gateway, turn, shown, isCorrected } = await follow(events, fates);
      const truth = withoutFinalReasoning(toView(gateway));
      expect(withoutFinalReasoning(toView(turn.transcript))).toEqual(truth);
      expect(withoutFinalReasoning(toView(shown.transcript))).toEqual(truth);
      expect(shown.isDone).toBe(true);
      if (!isCorrected) expectEachOnce(shown.items as readonly TurnEvent[], texts);
    }),
    { numRuns: 60 },
  );
}, 120_000);
