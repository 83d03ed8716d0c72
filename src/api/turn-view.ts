// A turn as REST shows it.

import type { Citation } from '../protocol/events.ts';
import type { ErrorInfo } from '../protocol/errors.ts';
import type { AgentId, ConversationId, TurnId } from '../protocol/ids.ts';
import type { StoredTurn } from '../protocol/ports.ts';
import type { Receipt } from '../protocol/receipt.ts';
import { answerOf, stateOf, terminalOf, type Transcript, type TurnState } from '../protocol/transcript.ts';

export interface TurnView {
  readonly turnId: TurnId;
  readonly conversationId: ConversationId;
  readonly agentId: AgentId | null;
  readonly parentTurnId: TurnId | null;
  readonly state: TurnState;
  readonly text: string | null;
  readonly answer: string | null;
  readonly error: ErrorInfo | null;
  readonly receipt: Receipt | null;
  readonly audit: {
    readonly auditId: string;
    readonly verdict: string;
    readonly confidence: number | null;
    readonly reason: string;
  } | null;
  readonly steps: readonly {
    readonly step: number;
    readonly attempt: number;
    readonly agentId: AgentId;
    readonly text: string;
  }[];
  readonly citations: readonly Citation[];
  readonly createdAt: string | null;
  readonly links: { readonly temporal: string | null; readonly events: string };
}

export interface TurnViewSource {
  readonly turnId: TurnId;
  readonly conversationId: ConversationId;
  readonly transcript: Transcript;
  /** `null` while the graph does not know the turn. */
  readonly stored: StoredTurn | null;
  readonly temporal: string | null;
}

export function toTurnView({ turnId, conversationId, transcript, stored, temporal }: TurnViewSource): TurnView {
  const [accepted] = transcript.log;
  const first = accepted?.type === 'turn_accepted' ? accepted : null;
  const terminal = terminalOf(transcript);
  const answer = terminal === null ? '' : answerOf(transcript);
  const audit = stored?.audit ?? null;
  return {
    turnId,
    conversationId,
    agentId: first?.agentId ?? stored?.agentId ?? null,
    parentTurnId: stored?.parentTurnId ?? first?.parentTurnId ?? null,
    // Its log is with an engine that does not answer: it is known to be there, not how far it is.
    state: first === null && transcript.waiting !== null ? 'waiting' : stateOf(transcript),
    text: first?.text ?? stored?.text ?? null,
    answer: answer === '' ? null : answer,
    error: terminal?.type === 'turn_failed' ? terminal.error : null,
    receipt: terminal?.receipt ?? null,
    audit:
      audit === null
        ? null
        : { auditId: audit.auditId, verdict: audit.verdict, confidence: audit.confidence, reason: audit.reason },
    steps: transcript.streams
      .filter((s) => s.channel === 'answer' && s.state !== 'discarded')
      .map(({ step, attempt, agentId, text }) => ({ step, attempt, agentId, text })),
    citations: transcript.log.flatMap((e) => (e.type === 'agent_completed' ? e.citations : [])),
    createdAt: first?.time ?? stored?.createdAt ?? null,
    links: { temporal, events: `/api/turns/${turnId}/events` },
  };
}
