// Runs the cases of this folder against the client library, over real sockets: the frames come in slices, and between
// slices the connection breaks. What its user holds, and what a loop over its events shows, is what the case expects.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { emptyTranscript } from '../../src/protocol/transcript.ts';
import { startFramePlayer } from '../client/frame-player.ts';
import { show } from '../client/shown.ts';
import { inAnyOrder, suites, toSummary } from './cases.ts';

/** After which events the connection breaks: after none, after each, and as chance has it. */
const plans = (length: number): readonly (readonly boolean[])[] => [
  Array.from({ length }, () => false),
  Array.from({ length }, () => true),
  ...fc.sample(fc.array(fc.boolean(), { minLength: length, maxLength: length }), { numRuns: 2, seed: length }),
];

describe.each(suites)('the client and $file', ({ cases, toEvents }) => {
  test.each(cases)('$name', async (given) => {
    const events = toEvents(given);
    const turnId = events[0]?.turnId ?? '';
    for (const cuts of plans(events.length)) {
      const player = await startFramePlayer();
      try {
        const turn = player.client.resume(turnId);
        // Somebody who looks on also sees what comes behind the end.
        turn.subscribe(() => undefined);
        const shown = show(turn.events({ until: 'verdict' }));
        let slice: typeof events = [];
        for (const [index, event] of events.entries()) {
          slice.push(event);
          if (cuts[index] !== true) continue;
          await player.play(...slice);
          await player.cut();
          slice = [];
        }
        await player.play(...slice);

        const { streams, cursor, ...rest } = toSummary(turn.transcript, events);
        const { streams: expected, cursor: at, ...wanted } = given.expect;
        expect(rest).toMatchObject(wanted);
        expect([turn.text, turn.state]).toEqual([rest.answer, rest.state]);
        expect(inAnyOrder(streams)).toEqual(inAnyOrder(expected));
        if (at !== undefined) {
          expect(cursor.seq).toBe(at.seq);
          expect(inAnyOrder(cursor.streams)).toEqual(inAnyOrder(at.streams));
        }
        // A loop is given what can be shown: nothing that waits for something before it.
        const told = toSummary({ ...emptyTranscript, ...shown.transcript }, events);
        expect(told.log).toEqual(rest.log);
        expect([told.waiting, told.audit]).toEqual([rest.waiting, rest.audit]);
        if (!shown.isDone) expect(inAnyOrder(told.streams)).toEqual(inAnyOrder(streams));
      } finally {
        await player.close();
      }
    }
  });
});
