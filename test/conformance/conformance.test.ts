/** Runs the cases of this folder against the reducer that gateway, page and client library share. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { toCursor } from '../../src/protocol/cursor.ts';
import type { Delta, TurnEvent } from '../../src/protocol/events.ts';
import { parseCursor } from '../../src/protocol/schema.ts';
import { applyEvents, emptyTranscript, eventsAfter } from '../../src/protocol/transcript.ts';
import { inAnyOrder, suites, toSummary } from './cases.ts';

/** An event of the log by its `seq`; a delta by what addresses it. */
function toSent(event: TurnEvent): object {
  if (event.type !== 'delta') return { seq: 'seq' in event ? event.seq : event.type };
  const { step, attempt, channel, offset, text, after }: Delta = event;
  return { step, attempt, channel, offset, text, after };
}

describe.each(suites)('$file', ({ cases, toEvents }) => {
  test.each(cases)('$name', (given) => {
    const events = toEvents(given);
    const transcript = applyEvents(emptyTranscript, events);
    const { streams, cursor, ...rest } = toSummary(transcript, events);
    const { streams: shown, cursor: at, ...wanted } = given.expect;
    expect(rest).toMatchObject(wanted);
    expect(inAnyOrder(streams)).toEqual(inAnyOrder(shown));
    if (at !== undefined) {
      expect(cursor.seq).toBe(at.seq);
      expect(inAnyOrder(cursor.streams)).toEqual(inAnyOrder(at.streams));
    }
    for (const { cursor: from, sends } of given.resumes ?? []) {
      expect(eventsAfter(transcript, toCursor(parseCursor(from))).map(toSent)).toEqual(sends);
    }
  });
});

const byNumber = (a = '', b = ''): number => Number(a.slice(1)) - Number(b.slice(1));

test('every case names rules that PROTOCOL.md has, and every rule about a transcript has a case', () => {
  const document = readFileSync(new URL('../../PROTOCOL.md', import.meta.url), 'utf8');
  const rules = [...document.matchAll(/^- \*\*(R\d+)\*\*/gm)].map(([, rule]) => rule);
  const named = new Set(suites.flatMap(({ cases }) => cases.flatMap((given) => given.rules)));
  // Rules stand by subject and keep their numbers: none is missing, none is there twice.
  expect([...rules].sort(byNumber)).toEqual(rules.map((_, index) => `R${index + 1}`));
  expect([...named].filter((rule) => !rules.includes(rule))).toEqual([]);
  const aboutTranscripts = [11, 12, 13, 14, 15, 16, 19, 20, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36];
  expect(aboutTranscripts.map((number) => `R${number}`).filter((rule) => !named.has(rule))).toEqual([]);
});
