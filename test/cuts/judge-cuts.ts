// Judges a turn whose readers were cut: what each of them received over all its connections, against what the model server
// wrote and what the graph keeps. A character that came again, although its reader had it at the cursor it resumed from,
// is a doubled one here, also when the reducer dropped it. Pure.

import type { ServerFrame } from '../../src/protocol/frames.ts';
import type { TurnId } from '../../src/protocol/ids.ts';
import { toCanonicalJson } from '../../src/protocol/canonical.ts';
import { logHash } from '../../src/protocol/log-hash.ts';
import { answerOf, applyEvent, emptyTranscript, terminalOf, type Transcript } from '../../src/protocol/transcript.ts';
import { toLogged, type LoggedEvent } from '../../src/protocol/turn.ts';
import { checkTranscript, type UpstreamText } from '../../testing/transcript-checker.ts';

export interface CutEvidence {
  readonly turnId: TurnId;
  readonly readers: readonly { readonly frames: readonly ServerFrame[]; readonly surprises: readonly string[] }[];
  /** What the model server wrote. */
  readonly sent: readonly UpstreamText[];
  /** Of the call that ended well. */
  readonly reply: { readonly answer: string; readonly reasoning: string };
  /** As Neo4j has it; absent: it does not know the turn. */
  readonly graph: { readonly answer: string | null; readonly log: readonly LoggedEvent[] } | undefined;
}

export interface CutVerdict {
  readonly lostChars: number;
  readonly doubledChars: number;
  readonly repeatedEvents: number;
  /** Events that replaced a provisional one: what follows them comes again by right. */
  readonly corrections: number;
  /** One sentence each; empty: nothing is wrong. */
  readonly violations: readonly string[];
}

export function judgeCuts({ turnId, readers, sent, reply, graph }: CutEvidence): CutVerdict {
  const violations: string[] = [];
  const total = { lostChars: 0, doubledChars: 0, repeatedEvents: 0, corrections: 0 };
  const hashes = new Set<string>();
  for (const [index, { frames, surprises }] of readers.entries()) {
    const tell = (what: string): void => void violations.push(`reader ${index + 1}: ${what}`);
    for (const surprise of surprises) tell(surprise);
    const { transcript, figures, violations: found } = checkTranscript(frames, { turnId, upstream: sent });
    for (const { name, detail } of found) tell(`${name}: ${detail}`);
    if (figures.corrections > 0) total.corrections += figures.corrections;
    else {
      total.doubledChars += figures.overlapChars;
      total.repeatedEvents += figures.repeatedEvents;
      if (figures.overlapChars > 0) tell(`${figures.overlapChars} characters came again`);
      if (figures.repeatedEvents > 0) tell(`${figures.repeatedEvents} events came again`);
    }
    const unshown = unshownChars(turnId, frames);
    total.lostChars += unshown;
    if (unshown > 0) tell(`${unshown} characters came with the end only`);
    if (figures.lateDeltas > 0) tell(`${figures.lateDeltas} pieces of text of calls that were over`);
    if (terminalOf(transcript)?.type !== 'turn_completed')
      tell(`ended with ${terminalOf(transcript)?.type ?? 'nothing'}`);
    for (const [what, shown, truth] of [
      ['answer', answerOf(transcript), reply.answer],
      ['reasoning', reasoningOf(transcript), reply.reasoning],
    ] as const) {
      if (shown === truth) continue;
      total.lostChars += Math.max(1, truth.length - shown.length);
      tell(`${what} has ${shown.length} characters, the model wrote ${truth.length}`);
    }
    if (graph !== undefined && toCanonicalJson(transcript.log.map(toLogged)) !== toCanonicalJson(graph.log)) {
      tell('the log is not the stored one');
    }
    hashes.add(logHash(transcript.log));
  }
  if (hashes.size > 1) violations.push(`readers have ${hashes.size} different logs`);
  if (graph === undefined) violations.push('the graph does not know the turn');
  else if (graph.answer !== reply.answer) violations.push('the stored answer is not what the model wrote');
  return { ...total, violations };
}

/** R34: all text stands in deltas before the end of its call, which repeats it whole. */
function unshownChars(turnId: TurnId, frames: readonly ServerFrame[]): number {
  let transcript = emptyTranscript;
  let missing = 0;
  for (const frame of frames) {
    if (!('turnId' in frame) || frame.turnId !== turnId) continue;
    if (frame.type === 'agent_completed') {
      const { step, attempt, text } = frame;
      const shown = transcript.streams.find(
        (s) => s.step === step && s.attempt === attempt && s.channel === 'answer' && s.state !== 'discarded',
      );
      missing += Math.max(0, text.length - (shown?.text.length ?? 0));
    }
    transcript = applyEvent(transcript, frame);
  }
  return missing;
}

const reasoningOf = ({ streams }: Transcript): string =>
  streams.find(({ channel, state }) => channel === 'reasoning' && state === 'final')?.text ?? '';
