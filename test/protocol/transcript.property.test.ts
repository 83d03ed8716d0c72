/**
 * The promise behind «exactly once»: whatever happens to the events on their way, a reader that resumes holds what a
 * reader holds who missed nothing, and at no moment shows anything else than a part of it. A failing run prints its seed.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { startCursor } from '../../src/protocol/cursor.ts';
import { isSequenced, isTerminal, type TurnEvent } from '../../src/protocol/events.ts';
import {
  advanceCursor,
  applyEvent,
  applyEvents,
  cursorOf,
  emptyTranscript,
  eventsAfter,
  hasGap,
  terminalOf,
  toTranscript,
  type Transcript,
} from '../../src/protocol/transcript.ts';
import { toView, withoutFinalReasoning } from './transcript-view.ts';
import {
  anyRecut,
  anyScript,
  anyTexts,
  auditEvent,
  textOf,
  toEvents,
  type Texts,
  type TurnScript,
} from './turn-script.ts';

const runs = { numRuns: 400 };

interface Turn {
  readonly script: TurnScript;
  readonly texts: Texts;
  readonly events: readonly TurnEvent[];
  readonly full: Transcript;
}
const toTurn = ([script, texts]: [TurnScript, Texts]): Turn => {
  const events = toEvents(script, texts);
  return { script, texts, events, full: toTranscript(events) };
};
const anyTurn: fc.Arbitrary<Turn> = fc.tuple(anyScript, anyTexts).map(toTurn);

/** Each packet zero to three times, in any order. */
const anyDelivery = (packets: readonly TurnEvent[]): fc.Arbitrary<TurnEvent[]> =>
  fc
    .array(fc.tuple(fc.nat({ max: 3 }), fc.array(fc.nat(), { minLength: 3, maxLength: 3 })), {
      minLength: packets.length,
      maxLength: packets.length,
    })
    .map((plan) =>
      packets
        .flatMap((packet, index) => {
          const [copies = 0, keys = []] = plan[index] ?? [];
          return keys.slice(0, copies).map((key) => ({ packet, key }));
        })
        .sort((a, b) => a.key - b.key)
        .map(({ packet }) => packet),
    );

const resume = (reader: Transcript, full: Transcript): Transcript =>
  applyEvents(reader, eventsAfter(full, cursorOf(reader)));

describe('a reader behind a lane that loses, repeats, reorders and cuts anything', () => {
  const anyChaos = anyTurn.chain((turn) =>
    anyRecut(turn.events, turn.texts)
      .chain((pieces) => anyDelivery([...turn.events, ...pieces, auditEvent]))
      .map((delivery) => ({ turn, delivery })),
  );

  test('holds after a resume what a reader holds who missed nothing', () => {
    fc.assert(
      fc.property(anyChaos, ({ turn: { full }, delivery }) => {
        const reader = applyEvent(resume(applyEvents(emptyTranscript, delivery), full), auditEvent);
        expect(hasGap(reader)).toBe(false);
        expect(withoutFinalReasoning(toView(reader))).toEqual(
          withoutFinalReasoning(toView(applyEvent(full, auditEvent))),
        );
      }),
      runs,
    );
  });

  test('shows at every moment a beginning of the truth and nothing else', () => {
    fc.assert(
      fc.property(anyChaos, ({ turn: { full, texts }, delivery }) => {
        let reader = emptyTranscript;
        for (const event of delivery) {
          reader = applyEvent(reader, event);
          expect(full.log.slice(0, reader.log.length)).toEqual(reader.log);
          for (const { step, attempt, channel, text } of reader.streams) {
            expect(textOf(texts, step, attempt, channel).startsWith(text)).toBe(true);
          }
        }
      }),
      runs,
    );
  });

  test('is not changed by the same resume twice, nor by a late repetition of everything', () => {
    fc.assert(
      fc.property(anyChaos, ({ turn: { full }, delivery }) => {
        const partial = applyEvents(emptyTranscript, delivery);
        const missing = eventsAfter(full, cursorOf(partial));
        const reader = applyEvents(partial, missing);
        expect(applyEvents(reader, missing)).toBe(reader);
        expect(eventsAfter(full, cursorOf(reader))).toEqual([]);
        expect(
          applyEvents(
            reader,
            delivery.filter((event) => event !== auditEvent),
          ),
        ).toBe(reader);
      }),
      runs,
    );
  });
});

describe('a reader whose connection is cut, again and again', () => {
  test('ends with everything, reasoning included', () => {
    const anyJourney = anyTurn.chain((turn) =>
      fc
        .array(fc.tuple(fc.nat({ max: turn.events.length }), fc.nat({ max: turn.events.length })), { maxLength: 5 })
        .map((cuts) => ({ turn, cuts })),
    );
    fc.assert(
      fc.property(anyJourney, ({ turn: { events, full }, cuts }) => {
        let reader = emptyTranscript;
        let known = 0;
        for (const [further, received] of cuts) {
          known = Math.min(events.length, known + further);
          const gateway = toTranscript(events.slice(0, known));
          const sent = eventsAfter(gateway, cursorOf(reader));
          reader = applyEvents(reader, sent.slice(0, received));
          expect(hasGap(reader)).toBe(false);
        }
        expect(toView(resume(reader, full))).toEqual(toView(full));
      }),
      runs,
    );
  });
});

describe('what a reader is sent', () => {
  const anyPlace = anyTurn.chain((turn) => fc.nat({ max: turn.events.length }).map((place) => ({ turn, place })));

  test('never stands at or before its cursor, never overlaps, never leaves a gap', () => {
    fc.assert(
      fc.property(anyPlace, ({ turn: { events, full }, place }) => {
        let reader = toTranscript(events.slice(0, place));
        for (const event of eventsAfter(full, cursorOf(reader))) {
          if (isSequenced(event)) expect(event.seq).toBe(reader.log.length + 1);
          if (event.type === 'delta') {
            const { step, attempt, channel } = event;
            const stream = reader.streams.find(
              (s) => s.step === step && s.attempt === attempt && s.channel === channel,
            );
            expect(event.offset).toBe(stream?.text.length ?? 0);
            expect(event.text).not.toMatch(/^[\uDC00-\uDFFF]/);
          }
          const next = applyEvent(reader, event);
          expect(next).not.toBe(reader);
          expect(hasGap(next)).toBe(false);
          reader = next;
        }
        expect(toView(reader)).toEqual(toView(full));
      }),
      runs,
    );
  });

  test('can be counted by a cursor alone: after each event it names exactly the rest', () => {
    fc.assert(
      fc.property(anyPlace, ({ turn: { events, full }, place }) => {
        let cursor = cursorOf(toTranscript(events.slice(0, place)));
        let rest = eventsAfter(full, cursor);
        for (let event = rest[0]; event !== undefined; event = rest[0]) {
          cursor = advanceCursor(cursor, event);
          rest = rest.slice(1);
          expect(eventsAfter(full, cursor)).toEqual(rest);
          expect(cursor.streams.length).toBeLessThanOrEqual(6);
        }
        expect(cursor.seq).toBe(full.log.length);
      }),
      runs,
    );
  });

  test('begins at a whole character, also for a cursor that points into one', () => {
    fc.assert(
      fc.property(anyTurn, fc.nat({ max: 40 }), ({ full }, offset) => {
        const streams = full.streams.map(({ step, attempt, channel }) => ({ step, attempt, channel, offset }));
        for (const event of eventsAfter(full, { seq: 0, streams })) {
          if (event.type === 'delta') expect(Buffer.from(event.text).toString()).toBe(event.text);
        }
      }),
      runs,
    );
  });

  test('is the whole turn for a reader who has nothing', () => {
    fc.assert(
      fc.property(anyTurn, ({ full }) => {
        expect(toView(toTranscript(eventsAfter(full, startCursor)))).toEqual(toView(full));
      }),
      runs,
    );
  });
});

describe('a workflow task that runs twice and decides otherwise', () => {
  // Both tell of the same model calls. What the first sent was provisional, and it sent no terminal. Whoever knows the
  // terminal knows the log before it and sends that first.
  const anyRewrite = fc.tuple(anyScript, anyScript, anyTexts).chain(([first, second, texts]) => {
    const right = toTurn([second, texts]);
    const provisional = toEvents(first, texts).filter((event) => !isTerminal(event));
    const open = right.events.filter((event) => !isTerminal(event));
    return fc
      .tuple(anyDelivery(provisional), anyDelivery([...provisional, ...open]), anyDelivery(provisional))
      .map(([before, mixed, late]) => ({ right, before, mixed, late }));
  });

  test('is corrected by the log and a resume, in whatever order the provisional events came', () => {
    fc.assert(
      fc.property(anyRewrite, ({ right: { events, full }, before }) => {
        const corrected = resume(applyEvents(applyEvents(emptyTranscript, before), events), full);
        expect(hasGap(corrected)).toBe(false);
        expect(withoutFinalReasoning(toView(corrected))).toEqual(withoutFinalReasoning(toView(full)));
      }),
      runs,
    );
  });

  test('is corrected also when both come mixed, and shows one terminal, the right one', () => {
    fc.assert(
      fc.property(anyRewrite, ({ right: { events, full }, mixed, late }) => {
        const corrected = resume(applyEvents(applyEvents(emptyTranscript, mixed), [...events, ...late]), full);
        expect(hasGap(corrected)).toBe(false);
        expect(withoutFinalReasoning(toView(corrected))).toEqual(withoutFinalReasoning(toView(full)));
        expect(corrected.log.filter(isTerminal)).toEqual([terminalOf(full)]);
      }),
      runs,
    );
  });

  test('changes nothing any more once the turn has ended', () => {
    fc.assert(
      fc.property(anyRewrite, ({ right: { full }, late }) => {
        expect(applyEvents(full, late.filter(isSequenced))).toBe(full);
      }),
      runs,
    );
  });
});
