/**
 * The golden files are the wire as other programs know it. A test that fails here says that the contract changed: change
 * the file by hand, and with it PROTOCOL.md.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { TurnEvent } from '../../src/protocol/events.ts';
import { isSequenced, isTerminal } from '../../src/protocol/events.ts';
import { parseClientFrame } from '../../src/protocol/schema.ts';
import { applyEvent, applyEvents, emptyTranscript, sameEvent } from '../../src/protocol/transcript.ts';
import { clientFrames, events, serverFrames } from './golden-samples.ts';

const folder = new URL('./golden/', import.meta.url);
const filesIn = (kind: string): string[] => readdirSync(new URL(`${kind}/`, folder)).sort();
const read = (kind: string, type: string): string => readFileSync(new URL(`${kind}/${type}.json`, folder), 'utf8');

describe.each([
  ['events', events],
  ['client-frames', clientFrames],
  ['server-frames', serverFrames],
])('golden/%s', (kind, samples) => {
  test('has one file for each type and no other', () => {
    const types = Object.keys(samples).sort();
    expect(filesIn(kind)).toEqual(types.map((type) => `${type}.json`));
  });

  test.each(Object.entries(samples))('%s is on the wire what the contract says', (type, sample) => {
    const text = read(kind, type);
    expect(JSON.parse(text)).toEqual(sample);
    expect(JSON.stringify(JSON.parse(text))).toBe(JSON.stringify(sample));
  });
});

test.each(Object.entries(clientFrames))('the gateway reads a golden %s as it was meant', (type, frame) => {
  expect(parseClientFrame(read('client-frames', type))).toEqual(frame);
});

describe('a golden event', () => {
  const all = Object.keys(events).map((type) => JSON.parse(read('events', type)) as TurnEvent);

  test.each(all)('$type equals itself after a round trip, whatever the order of its fields', (event) => {
    const reversed = Object.fromEntries(Object.entries(event).reverse()) as unknown as TurnEvent;
    expect(sameEvent(event, reversed)).toBe(true);
  });

  test.each(all)('$type has a seq exactly when it belongs to the log', (event) => {
    const unsequenced = ['delta', 'waiting', 'audit_completed', 'audit_failed'];
    expect(isSequenced(event)).toBe(!unsequenced.includes(event.type));
    expect(isTerminal(event)).toBe(/^turn_(completed|failed|cancelled)$/.test(event.type));
  });

  test.each(all)('$type is taken by the reducer, and its repetition changes nothing', (event) => {
    const before = applyEvents(emptyTranscript, [events.turn_accepted, events.turn_queued, events.agent_started]);
    const ready = event.type === 'delta' ? applyEvent(before, events.agent_thinking) : before;
    const after = applyEvent(ready, event);
    expect(applyEvent(after, JSON.parse(JSON.stringify(event)) as TurnEvent)).toEqual(after);
  });
});

test('a type from a later version changes nothing', () => {
  const unknown = { ...events.waiting, type: 'from_the_future' } as unknown as TurnEvent;
  const transcript = applyEvent(emptyTranscript, events.turn_accepted);
  expect(applyEvent(transcript, unknown)).toBe(transcript);
});
