// A turn that has ended, as a transcript: built from its result and its texts, wherever they come from.

import type {
  AgentCompleted,
  AgentThinking,
  Delta,
  SequencedEvent,
  TurnAccepted,
  TurnEvent,
} from '../protocol/events.ts';
import type { StoredTurn } from '../protocol/ports.ts';
import { applyEvents, emptyTranscript, type Transcript } from '../protocol/transcript.ts';
import { toSequenced, type StepText, type TurnResult } from '../protocol/turn.ts';

/** The whole text of a call, behind the event that announced it. */
export function toTextDeltas(
  thinking: AgentThinking,
  texts: { readonly answer: string; readonly reasoning: string },
): Delta[] {
  const { conversationId, turnId, time, agentId, step, attempt, seq } = thinking;
  const address = {
    type: 'delta',
    conversationId,
    turnId,
    time,
    agentId,
    step,
    attempt,
    offset: 0,
    after: seq,
  } as const;
  return (['reasoning', 'answer'] as const)
    .filter((channel) => texts[channel] !== '')
    .map((channel) => ({ ...address, channel, text: texts[channel] }));
}

/** A log with the texts of its calls, each behind the event that announced it. */
export const withTexts = (log: readonly SequencedEvent[], texts: readonly StepText[]): TurnEvent[] =>
  log.flatMap((event): TurnEvent[] => {
    if (event.type !== 'agent_thinking') return [event];
    const text = texts.find((t) => t.step === event.step && t.attempt === event.attempt);
    if (text === undefined) return [event];
    return [event, ...toTextDeltas(event, { answer: text.text, reasoning: text.reasoning })];
  });

/** A whole transcript from a turn's end and its texts. */
export const toFinalTranscript = ({ log }: TurnResult, texts: readonly StepText[]): Transcript =>
  applyEvents(
    emptyTranscript,
    withTexts(
      log.map((logged) => toSequenced(logged, texts)),
      texts,
    ),
  );

/** A turn that only the graph remembers. */
export function toStoredTranscript(turn: StoredTurn): Transcript {
  return turn.result === null ? emptyTranscript : toFinalTranscript(turn.result, turn.steps);
}

/** The first event of a turn whose log is lost but which the graph knows. */
export const toAccepted = ({
  turnId,
  conversationId,
  agentId,
  text,
  parentTurnId,
  createdAt,
}: StoredTurn): TurnAccepted => ({
  type: 'turn_accepted',
  ...{ turnId, conversationId, agentId, text },
  seq: 1,
  time: createdAt,
  ...(parentTurnId === null ? {} : { parentTurnId }),
});

/** Texts that completed calls of a transcript hold. */
export function textsOf(transcript: Transcript): StepText[] {
  const completed = transcript.log.filter((e) => e.type === 'agent_completed');
  return completed.map(({ agentId, step, attempt, text, sha256, incomplete }) => {
    const reasoning = transcript.streams.find(
      (s) => s.step === step && s.attempt === attempt && s.channel === 'reasoning',
    );
    return { agentId, step, attempt, text, reasoning: reasoning?.text ?? '', sha256, incomplete };
  });
}

/** Whether texts are wanted that are not here; a stopped turn's always are. */
export function needsTexts(result: TurnResult, here: readonly StepText[]): boolean {
  if (result.outcome === 'cancelled') return true;
  return result.log.some(
    (event) =>
      event.type === 'agent_completed' &&
      !here.some((t) => t.sha256 === event.sha256 && t.reasoning.length >= (event.reasoningChars ?? 0)),
  );
}

/** Less of a call's reasoning has come than the call returned. */
export function lacksReasoning(
  { streams }: Transcript,
  { step, attempt, reasoningChars = 0 }: AgentCompleted,
): boolean {
  const known = streams.find((s) => s.step === step && s.attempt === attempt && s.channel === 'reasoning');
  return (known?.text.length ?? 0) < reasoningChars;
}
