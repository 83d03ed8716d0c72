// Judges a turn after the fault is healed: from the frames that each reader got, from what the model server really sent,
// and from the graph. Candor's receipt is no witness here. Pure.

import type { TurnView } from '../../src/api/turn-view.ts';
import { isErrorCode } from '../../src/protocol/errors.ts';
import { answerOf, terminalOf } from '../../src/protocol/transcript.ts';
import { checkTranscript, type UpstreamText } from '../../testing/transcript-checker.ts';
import type { ServerFrame } from '../../src/protocol/frames.ts';
import type { TurnId } from '../../src/protocol/ids.ts';
import type { GraphTruth } from './truth.ts';

export interface Evidence {
  readonly turnId: TurnId;
  readonly readers: readonly {
    readonly frames: readonly ServerFrame[];
    readonly refusals: readonly unknown[];
    readonly longestSilenceMs: number;
  }[];
  /** Every reply of the model server for this turn. */
  readonly sent: readonly UpstreamText[];
  /** Absent: the graph does not know the turn. */
  readonly graph: GraphTruth | undefined;
  readonly views: readonly (TurnView | null)[];
  /** Status of the audit's workflow. */
  readonly audit: string | null;
  /** Whether the fault was an end of the workflow from outside: the graph learns of it later or never. */
  readonly endedFromOutside: boolean;
}

export interface Verdict {
  readonly outcome: 'completed' | 'failed' | 'cancelled' | null;
  readonly errorCode: string | null;
  readonly isLost: boolean;
  readonly lacksTerminal: boolean;
  /** Characters that a reader was shown twice, or that no reply of this turn has. */
  readonly wrongChars: number;
  readonly longestSilenceMs: number;
  /** Empty: nothing is wrong. One sentence each. */
  readonly violations: readonly string[];
}

/** A running turn says something at least so often. */
const maxSilenceMs = 15_000;
/** Violations of the checker that mean doubled, mixed or missing characters. */
const textNames: readonly string[] = ['doubled', 'overlap_differs', 'reply_differs', 'not_upstream_text', 'gap'];

export function judge(evidence: Evidence): Verdict {
  const { turnId, readers, sent, graph, views, audit, endedFromOutside } = evidence;
  const violations: string[] = [];
  const checks = readers.map(({ frames }) => checkTranscript(frames, { turnId, upstream: sent }));
  for (const [index, check] of checks.entries()) {
    for (const { name, detail } of check.violations) violations.push(`reader ${index + 1}: ${name}: ${detail}`);
  }
  const textFaults = checks.flatMap((check) => check.violations).filter(({ name }) => textNames.includes(name));
  if (readers.some(({ refusals }) => refusals.length > 0)) {
    violations.push(`a frame was refused: ${JSON.stringify(readers.map(({ refusals }) => refusals))}`);
  }

  const terminals = checks.map(({ transcript }) => terminalOf(transcript));
  const [first] = terminals;
  const type = first?.type ?? null;
  if (new Set(terminals.map((terminal) => JSON.stringify(terminal))).size > 1) {
    violations.push(`readers have different ends: ${terminals.map((terminal) => terminal?.type).join(', ')}`);
  }
  const outcome = type === null ? null : outcomes[type];
  const errorCode = first?.type === 'turn_failed' ? first.error.code : null;
  const shown = checks[0] === undefined ? '' : answerOf(checks[0].transcript);
  const silences = readers.map(({ longestSilenceMs }) => longestSilenceMs);
  if (Math.max(...silences) > maxSilenceMs) violations.push(`${Math.max(...silences)} ms without a word`);

  const states = views.map((view) => view?.state ?? 'not found');
  if (states.some((state) => state !== outcome)) {
    violations.push(`readers saw ${outcome ?? 'no end'}, gateways say ${states.join(' and ')}`);
  }
  if (outcome === 'completed') {
    const real = sent.filter(({ whole, text }) => whole && text === shown);
    if (real.length !== 1) violations.push(`the answer is the text of ${real.length} finished replies`);
    if (graph?.outcome !== 'completed') violations.push(`completed, but the graph says ${graph?.outcome ?? 'nothing'}`);
    if (graph?.answer !== shown) violations.push('the stored answer is not the one that was shown');
    if (graph?.log.at(-1)?.type !== type) violations.push('the stored log ends otherwise');
    if (views.some((view) => view?.answer !== shown)) violations.push('a gateway shows another answer');
    if ((graph?.verdicts.length ?? 0) > 1) violations.push('two verdicts');
    if (graph?.verdicts.length === 0 && audit !== 'RUNNING' && !endedFromOutside) {
      violations.push(`no verdict, and its audit is ${audit ?? 'not there'}`);
    }
  }
  if (outcome === 'failed') {
    if (errorCode === null || !isErrorCode(errorCode)) violations.push(`failed with ${errorCode}`);
    if (checks.some(({ transcript }) => transcript.streams.some((s) => s.state === 'open' && s.text !== ''))) {
      violations.push('failed, and a part of a reply is still shown');
    }
    if (graph?.answer != null) violations.push('failed, but the graph has an answer');
    if (graph !== undefined && graph.outcome !== 'failed') {
      violations.push(`failed, but the graph says ${graph.outcome ?? 'that it is open'}`);
    }
    if (graph === undefined && !endedFromOutside) violations.push('failed, and the graph does not know it');
    if (views.some((view) => view?.error?.code !== errorCode)) violations.push('a gateway names another error');
  }
  if (outcome === 'cancelled') violations.push('cancelled, and nobody asked for it');
  return {
    outcome,
    errorCode,
    isLost: outcome === null && graph?.outcome == null,
    lacksTerminal: terminals.some((terminal) => terminal === null),
    wrongChars: textFaults.length === 0 ? 0 : Math.max(1, wrongCharsOf(shown, sent)),
    longestSilenceMs: Math.max(0, ...silences),
    violations,
  };
}

const outcomes = { turn_completed: 'completed', turn_failed: 'failed', turn_cancelled: 'cancelled' } as const;

/** Characters from the first place on at which the text leaves every reply. */
function wrongCharsOf(shown: string, sent: readonly UpstreamText[]): number {
  const rightChars = sent.map(({ text }) => {
    let at = 0;
    while (at < shown.length && shown[at] === text[at]) at += 1;
    return at;
  });
  return shown.length - Math.max(0, ...rightChars);
}
