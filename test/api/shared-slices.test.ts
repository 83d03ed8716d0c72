// A12: many readers of one turn are sent what each of them would be sent alone. Whatever happens to the turn, and wherever
// they stand: late, resumed, slow, set back by a correction, behind discarded attempts.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sliceEvents } from '../../src/api/event-slice.ts';
import { createFeedCursor } from '../../src/api/feed-cursor.ts';
import { createFeedState, type FeedState } from '../../src/api/feed-state.ts';
import { createSharedSlices } from '../../src/api/shared-slices.ts';
import type { TurnFeed } from '../../src/api/turn-feed.ts';
import { startCursor, type Cursor } from '../../src/protocol/cursor.ts';
import { isTerminal, type TurnEvent } from '../../src/protocol/events.ts';
import {
  advanceCursor,
  applyEvent,
  applyEvents,
  cursorOf,
  emptyTranscript,
  eventsAfter,
  toTranscript,
} from '../../src/protocol/transcript.ts';
import type { TurnMemo } from '../../src/protocol/turn.ts';
import { toView } from '../protocol/transcript-view.ts';
import { anyScript, anyTexts, auditEvent, toEvents } from '../protocol/turn-script.ts';

const { turnId, conversationId } = auditEvent;

function createTurn() {
  const state = createFeedState(turnId, {} as TurnMemo, () => undefined);
  const slices = createSharedSlices();
  const feed = {
    slices,
    get transcript() {
      return state.transcript;
    },
    read(reader: Parameters<TurnFeed['read']>[0]) {
      state.readers.add(reader);
      return () => state.readers.delete(reader);
    },
  } as unknown as TurnFeed;
  const tell = (event: TurnEvent): void => {
    if (event.type === 'delta') slices.note(state.transcript, event);
    state.set(applyEvent(state.transcript, event));
  };
  return { state, feed, tell };
}

/** A reader for whom everything is found by itself. */
function createLonelyReader(state: FeedState, from: Cursor) {
  let cursor = from;
  let told: { readonly waiting: TurnEvent | null; readonly audit: TurnEvent | null } = { waiting: null, audit: null };
  state.readers.add({
    changed: () => undefined,
    rewind(seq) {
      if (seq >= cursor.seq) return;
      const isKnown = ({ step, attempt }: { readonly step: number; readonly attempt: number }): boolean =>
        state.transcript.log.some(
          (e) => e.type === 'agent_thinking' && e.seq <= seq && e.step === step && e.attempt === attempt,
        );
      cursor = { seq, streams: cursor.streams.filter(isKnown) };
    },
  });
  return (maxChars: number): readonly TurnEvent[] => {
    const { transcript } = state;
    const { waiting, audit } = transcript;
    const { events, isCut } = sliceEvents(eventsAfter({ ...transcript, waiting: null }, cursor), maxChars);
    for (const event of events) cursor = advanceCursor(cursor, event);
    if (isCut) return events;
    const besides = [...(waiting === told.waiting ? [] : [waiting]), ...(audit === told.audit ? [] : [audit])];
    told = { waiting, audit };
    return [...events, ...besides.filter((event) => event !== null)];
  };
}

const waits: TurnEvent = {
  type: 'waiting',
  ...{ turnId, conversationId, time: '2026-03-01T12:00:10.000Z', reason: 'model', since: '2026-03-01T12:00:00.000Z' },
};

type Step =
  | { readonly kind: 'event'; readonly event: TurnEvent }
  | { readonly kind: 'join'; readonly place: number }
  | { readonly kind: 'take'; readonly reader: number; readonly maxChars: number };

const anyReading: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.nat({ max: 60 }).map((place): Step => ({ kind: 'join', place })) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.nat({ max: 7 }), fc.constantFrom(1, 400, 64 * 1024))
      .map(([reader, maxChars]): Step => ({ kind: 'take', reader, maxChars })),
  },
);

/** A turn of which another course was told first, with waiting in between, and readers that come and take meanwhile. */
const anyRun = fc
  .tuple(anyScript, anyScript, anyTexts, fc.array(fc.array(anyReading, { maxLength: 4 }), { maxLength: 120 }))
  .map(([first, second, texts, readings]) => {
    const provisional = toEvents(first, texts).filter((event) => !isTerminal(event));
    const events = [...provisional, waits, ...toEvents(second, texts), auditEvent];
    const full = toEvents(second, texts);
    const steps = events.flatMap((event, n): Step[] => [{ kind: 'event', event }, ...(readings[n] ?? [])]);
    return { full, steps: [{ kind: 'join', place: 0 } as const, ...steps] };
  });

describe('readers that share what they are sent', () => {
  test('are each sent what they would be sent alone, in the words that they would be sent', () => {
    fc.assert(
      fc.property(anyRun, ({ full, steps }) => {
        const { state, feed, tell } = createTurn();
        const readers: { readonly take: (maxChars: number) => boolean }[] = [];
        const sent: (readonly TurnEvent[])[] = [];
        const words: (readonly string[])[] = [];
        const alone: (readonly TurnEvent[])[] = [];
        const join = (from: Cursor): void => {
          const lonely = createLonelyReader(state, from);
          const options = { sinceMs: 0, changed: () => undefined, taken: () => undefined };
          const reader = createFeedCursor(feed, from, options);
          readers.push({
            take(maxChars) {
              const { events, frames } = reader.take(maxChars);
              sent.push(events);
              words.push(frames);
              alone.push(lonely(maxChars));
              return reader.hasMore;
            },
          });
        };
        for (const step of steps) {
          if (step.kind === 'event') tell(step.event);
          else if (step.kind === 'join') {
            const known = applyEvents(emptyTranscript, full.slice(0, step.place));
            join(known.log.length <= state.transcript.log.length ? cursorOf(known) : startCursor);
          } else readers[step.reader % readers.length]?.take(step.maxChars);
        }
        for (const { take } of readers) while (take(400));
        expect(sent).toEqual(alone);
        expect(words).toEqual(sent.map((events) => events.map((event) => JSON.stringify(event))));
      }),
      { numRuns: 100 },
    );
  });

  test('hold in the end what a reader holds who was there all the time', () => {
    fc.assert(
      fc.property(anyScript, anyTexts, fc.array(fc.nat({ max: 60 }), { maxLength: 8 }), (script, texts, places) => {
        const events = toEvents(script, texts);
        const { state, feed, tell } = createTurn();
        const readers = places.map((place) => {
          const before = toTranscript(events.slice(0, place));
          let transcript = before;
          const options = { sinceMs: 0, changed: () => undefined, taken: () => undefined };
          const reader = createFeedCursor(feed, cursorOf(before), options);
          return {
            place,
            take: () => void (transcript = applyEvents(transcript, reader.take(64 * 1024).events)),
            get transcript() {
              return transcript;
            },
          };
        });
        events.forEach((event, n) => {
          tell(event);
          for (const reader of readers) if (n >= reader.place) reader.take();
        });
        for (const reader of readers) {
          reader.take();
          expect(toView(reader.transcript)).toEqual(toView(state.transcript));
        }
      }),
      { numRuns: 100 },
    );
  });

  test('are sent the same strings, made once, also when they came to the same place on different ways', () => {
    const { state, feed, tell } = createTurn();
    const events = toEvents(
      { queuedBehind: 0, model: 'small', steps: [{ attempts: 1, completes: true }], end: 'completed' },
      new Map([['1/1/answer', ['A job ', 'is ', 'restarted.']]]),
    );
    const options = { sinceMs: 0, changed: () => undefined, taken: () => undefined };
    const join = (from: Cursor) => createFeedCursor(feed, from, options);
    state.set(applyEvents(state.transcript, events.slice(0, 4)));
    const first = join(startCursor);
    first.take(64 * 1024);
    const resumed = join({ ...cursorOf(state.transcript) });
    events.slice(4, 6).forEach(tell);
    const slice = first.take(64 * 1024);
    expect(slice.events).toMatchObject([{ type: 'delta', offset: 6, text: 'is restarted.' }]);
    expect(resumed.take(64 * 1024).frames).toBe(slice.frames);
    state.set(applyEvents(state.transcript, events.slice(6, 7)));
    expect(resumed.take(64 * 1024).frames).toBe(first.take(64 * 1024).frames);
  });
});
