// One turn as the page knows it: what REST said when it was loaded, the transcript that its events build, and what this
// page itself has asked for. The transcript is the only state of an answer; everything below is derived from it.

import type { Outgoing, TurnHandle } from '../../src/client/index.ts';
import type { AuditVerdict, Citation, ContextItem } from '../../src/protocol/events.ts';
import type { ErrorInfo } from '../../src/protocol/errors.ts';
import type { ConversationId, TurnId } from '../../src/protocol/ids.ts';
import type { Receipt } from '../../src/protocol/receipt.ts';
import {
  answerOf,
  emptyTranscript,
  stateOf,
  terminalOf,
  type Transcript,
  type TurnState,
} from '../../src/protocol/transcript.ts';
import type { TurnResource } from './resources.ts';
import { capitalized, withdrawnSentence } from './wording.ts';

export interface Turn {
  readonly turnId: TurnId;
  readonly conversationId: ConversationId;
  readonly resource: TurnResource | null;
  readonly transcript: Transcript;
  /** Present while the message is this page's to deliver. */
  readonly outgoing: Outgoing | null;
  /** Answer to a frame about this turn that was refused. */
  readonly refusal: ErrorInfo | null;
  readonly stopRequested: boolean;
  /** Somebody looks at its events. */
  readonly detailsWanted: boolean;
}

/** `unsent`: written here, not known to any gateway yet. */
export type ShownState = TurnState | 'unsent';

export const emptyTurn = (turnId: TurnId, conversationId: ConversationId): Turn => ({
  turnId,
  conversationId,
  resource: null,
  transcript: emptyTranscript,
  outgoing: null,
  refusal: null,
  stopRequested: false,
  detailsWanted: false,
});

/** The turn as its client has it. */
export function withHandle(
  turn: Turn,
  { transcript, refusal, stopRequested }: Pick<TurnHandle, 'transcript' | 'refusal' | 'stopRequested'>,
): Turn {
  const isNew = transcript !== turn.transcript || refusal !== turn.refusal || stopRequested !== turn.stopRequested;
  if (!isNew) return turn;
  const { outgoing } = turn;
  const accepted = outgoing !== null && transcript.log.length > 0;
  return {
    ...turn,
    ...{ transcript, refusal, stopRequested },
    outgoing: accepted ? { ...outgoing, accepted } : outgoing,
  };
}

export const isEnd = (state: TurnState): boolean =>
  state === 'completed' || state === 'failed' || state === 'cancelled';

/**
 * The end that REST reported counts while the events of a finished turn are still arriving: its answer must not shrink
 * and grow again before the reader's eyes.
 */
function decidingResource({ resource, transcript }: Turn): TurnResource | null {
  if (resource === null || transcript.log.length === 0) return resource;
  return isEnd(resource.state) && terminalOf(transcript) === null ? resource : null;
}

export function stateOfTurn(turn: Turn): ShownState {
  const deciding = decidingResource(turn);
  if (deciding !== null) return deciding.state;
  if (turn.transcript.log.length > 0) return stateOf(turn.transcript);
  return turn.outgoing === null || turn.outgoing.accepted ? 'accepted' : 'unsent';
}

export const isOver = (turn: Turn): boolean => {
  const state = stateOfTurn(turn);
  return state !== 'unsent' && isEnd(state);
};

/** Its events are wanted and not all here. */
export const needsEvents = (turn: Turn): boolean => {
  if (terminalOf(turn.transcript) !== null || stateOfTurn(turn) === 'unsent') return false;
  return turn.detailsWanted || !isOver(turn);
};

export function questionOf({ resource, transcript, outgoing }: Turn): string {
  const [first] = transcript.log;
  if (first?.type === 'turn_accepted') return first.text;
  return resource?.text ?? outgoing?.text ?? '';
}

export function answerOfTurn(turn: Turn): string {
  const live = answerOf(turn.transcript);
  if (decidingResource(turn) === null && live !== '') return live;
  const { resource } = turn;
  return resource?.answer ?? (resource?.state === 'cancelled' ? resource.steps.at(-1)?.text : undefined) ?? live;
}

export function reasoningOf({ transcript }: Turn): string {
  return transcript.streams.findLast((s) => s.channel === 'reasoning' && s.state !== 'discarded')?.text ?? '';
}

export function errorOfTurn(turn: Turn): ErrorInfo | null {
  const terminal = terminalOf(turn.transcript);
  if (terminal?.type === 'turn_failed') return terminal.error;
  return turn.resource?.error ?? null;
}

export const receiptOf = (turn: Turn): Receipt | null =>
  terminalOf(turn.transcript)?.receipt ?? turn.resource?.receipt ?? null;

export interface ShownAudit {
  readonly verdict: AuditVerdict;
  readonly confidence: number | null;
  readonly reason: string;
}

/** `running`: the audit exists and has no verdict yet. `null`: there is none to wait for. */
export function auditOf({ transcript, resource }: Turn): ShownAudit | 'running' | null {
  const { audit } = transcript;
  if (audit?.type === 'audit_completed') return audit;
  if (audit?.type === 'audit_failed') return { verdict: 'failed', confidence: null, reason: audit.error.message };
  if (resource !== null && resource.audit !== null) return resource.audit;
  if (transcript.log.some((event) => event.type === 'audit_started')) return 'running';
  return resource?.state === 'completed' ? 'running' : null;
}

/** The model has answered, and the graph does not have it yet. */
export const isUnstored = ({ transcript }: Turn): boolean =>
  terminalOf(transcript) === null && transcript.log.at(-1)?.type === 'agent_completed';

/** What was shown of a failed turn and is withdrawn; `null`: nothing was. */
export function withdrawnOf({ transcript }: Turn): string | null {
  if (terminalOf(transcript)?.type !== 'turn_failed') return null;
  if (transcript.log.some((event) => event.type === 'agent_completed'))
    return 'The answer that was shown was not stored and is withdrawn.';
  const failed = transcript.log.findLast((event) => event.type === 'agent_failed');
  if (failed === undefined || failed.discardedChars === 0) return null;
  const sentence = withdrawnSentence(failed.discardedChars, failed.attempt, failed.atLeast === true) ?? '';
  return `${capitalized(sentence)}.`;
}

const completed = ({ transcript }: Turn) => transcript.log.findLast((event) => event.type === 'agent_completed');

export const isIncomplete = (turn: Turn): boolean =>
  completed(turn)?.incomplete ?? turn.resource?.receipt?.incomplete ?? false;

export const citationsOf = (turn: Turn): readonly Citation[] =>
  completed(turn)?.citations ?? turn.resource?.citations ?? [];

export const unsupportedOf = (turn: Turn): readonly string[] => completed(turn)?.unsupported ?? [];

export const contextOf = ({ transcript }: Turn): readonly ContextItem[] =>
  transcript.log.findLast((event) => event.type === 'agent_started')?.context ?? [];

export const temporalLinkOf = ({ resource }: Turn): string | null => resource?.links.temporal ?? null;
