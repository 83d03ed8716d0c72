// The cases of this folder, read, and what is compared of a transcript.

import { readFileSync, readdirSync } from 'node:fs';
import type { CursorFrame } from '../../src/protocol/cursor.ts';
import type { TurnEvent } from '../../src/protocol/events.ts';
import {
  answerOf,
  cursorOf,
  hasGap,
  sameEvent,
  stateOf,
  type TextStream,
  type Transcript,
} from '../../src/protocol/transcript.ts';

export interface Case {
  readonly name: string;
  readonly rules: readonly string[];
  readonly events: readonly Partial<TurnEvent>[];
  readonly expect: {
    readonly log: readonly number[];
    readonly streams: readonly TextStream[];
    readonly gap: boolean;
    readonly state?: string;
    readonly answer?: string;
    readonly cursor?: CursorFrame;
    readonly waiting?: string | null;
    readonly audit?: string | null;
  };
  readonly resumes?: readonly { readonly cursor: CursorFrame; readonly sends: readonly object[] }[];
}

const folder = new URL('./', import.meta.url);
const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
/** One a file. */
export const suites = files.map((file) => {
  const { base, cases } = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as { base: object; cases: Case[] };
  const toEvents = (given: Case): TurnEvent[] => given.events.map((event) => ({ ...base, ...event }) as TurnEvent);
  return { file, cases, toEvents };
});

export const inAnyOrder = (streams: readonly object[] = []): string[] =>
  streams.map((stream) => JSON.stringify(Object.entries(stream).sort())).sort();

/** Events are named by their place in the case: a receiver behind a socket has copies of them. */
export function toSummary(transcript: Transcript, events: readonly TurnEvent[]): Required<Case['expect']> {
  return {
    log: transcript.log.map((event) => events.findIndex((sent) => sameEvent(sent, event))),
    streams: transcript.streams.filter(({ state, text }) => state !== 'discarded' && text !== ''),
    gap: hasGap(transcript),
    state: stateOf(transcript),
    answer: answerOf(transcript),
    cursor: cursorOf(transcript),
    waiting: transcript.waiting?.reason ?? null,
    audit: transcript.audit?.type === 'audit_completed' ? transcript.audit.verdict : transcript.audit && 'failed',
  };
}
