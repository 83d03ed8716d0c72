// Why a turn is not over yet, in words and with what is left to wait. Never a spinner alone: each wait names its reason.

import type { ReactNode } from 'react';
import type { AttemptFailed, SequencedEvent, Waiting } from '../../../src/protocol/events.ts';
import type { Chat } from '../chat.ts';
import type { StatusResource } from '../resources.ts';
import { percent, stopProof } from '../timeline.ts';
import { isUnstored, reasoningOf, type ShownState, type Turn } from '../turn.ts';
import { cancelledSentences, elapsed, waitingSentences, withdrawnSentence } from '../wording.ts';
import { ProblemNote } from './problem-note.tsx';
import { useNow } from './use-now.ts';

interface TurnProgressProps {
  readonly chat: Chat;
  readonly turn: Turn;
  readonly state: ShownState;
  readonly hasText: boolean;
  readonly status: StatusResource | null;
}

export function TurnProgress(props: TurnProgressProps) {
  const { chat, turn, state, hasText } = props;
  const { refusal, transcript, turnId } = turn;
  switch (state) {
    case 'completed':
    case 'failed':
      return null;
    case 'cancelled':
      return <Stopped last={transcript.log.at(-1)} />;
    case 'unsent':
      if (refusal === null && transcript.waiting !== null) return <WaitingLine waiting={transcript.waiting} />;
      return refusal === null ? (
        <Line>
          Sending
          <TakeBack onClick={() => chat.discard(turnId)} />
        </Line>
      ) : (
        <ProblemNote problem={refusal} tone={refusal.retryable ? 'warning' : 'bad'}>
          {refusal.retryable && <span className="quiet">It is sent again by itself.</span>}
          <button type="button" className="button small" onClick={() => chat.sendAgain(turnId)}>
            Send again
          </button>
          <button type="button" className="button small ghost" onClick={() => chat.discard(turnId)}>
            Discard
          </button>
        </ProblemNote>
      );
    case 'queued':
      return (
        <Line still>
          Queued. It is answered after the message before it.
          <button
            type="button"
            className="button small ghost"
            data-testid="withdraw"
            disabled={turn.stopRequested}
            onClick={() => chat.withdraw(turnId)}
          >
            {turn.stopRequested ? 'Withdrawing…' : 'Withdraw'}
          </button>
        </Line>
      );
    default:
      return (
        <>
          {refusal !== null && <ProblemNote problem={refusal} tone="warning" />}
          {turn.stopRequested ? <Line>Stopping</Line> : <Running {...props} hasText={hasText} />}
        </>
      );
  }
}

/** Who stopped it and when, and what the stop really did to the model's connection. */
function Stopped({ last }: { readonly last: SequencedEvent | undefined }) {
  const end = last?.type === 'turn_cancelled' ? last : null;
  return (
    <p className="mark stopped" data-testid="stopped">
      {end === null ? 'Stopped' : [cancelledSentences[end.by], ...stopProof(end)].join(' · ')}
    </p>
  );
}

function TakeBack({ onClick }: { readonly onClick: () => void }) {
  return (
    <button type="button" className="button small ghost late" onClick={onClick}>
      Take back
    </button>
  );
}

function Running({ turn, hasText, status }: TurnProgressProps) {
  const { transcript } = turn;
  const last = transcript.log.at(-1);
  if (last?.type === 'attempt_failed') return <Retry failed={last} />;
  const { waiting } = transcript;
  if (waiting?.reason === 'model_loading') return <ModelLoading status={status} />;
  if (isUnstored(turn)) return <NotStored waiting={waiting} />;
  if (waiting !== null) return <WaitingLine waiting={waiting} />;
  if (hasText) return last?.type === 'conversation_stored' ? <Line>Storing</Line> : null;
  switch (last?.type) {
    case 'agent_thinking':
      return <Thinking attempt={last.attempt} maxAttempts={last.maxAttempts} reasoning={reasoningOf(turn)} />;
    case 'agent_started':
      return <Line>Calling the model</Line>;
    default:
      return (
        <Line>{turn.resource?.state === 'queued' ? 'Queued' : 'Looking up the conversation and its sources'}</Line>
      );
  }
}

interface ThinkingProps {
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly reasoning: string;
}

function Thinking({ attempt, maxAttempts, reasoning }: ThinkingProps) {
  return (
    <>
      <Line>
        {attempt === 1
          ? 'The model has been asked'
          : `The model has been asked again: attempt ${attempt} of ${maxAttempts}`}
      </Line>
      {reasoning !== '' && <p className="reasoning">{reasoning}</p>}
    </>
  );
}

/** The answer stands on the screen and is not safe yet. */
function NotStored({ waiting }: { readonly waiting: Waiting | null }) {
  if (waiting === null) return <Line>Storing</Line>;
  return (
    <div data-testid="not-stored">
      <WaitingLine waiting={waiting} what="Not stored yet. The answer is kept and stored by itself" />
    </div>
  );
}

/** What is waited for and since when; a part that is away in the gateway's words. */
function WaitingLine({ waiting, what }: { readonly waiting: Waiting; readonly what?: string }) {
  const { reason, since, until, error } = waiting;
  const nowMs = useNow(true);
  const dueMs = until === undefined ? 0 : Date.parse(until) - nowMs;
  const facts = [
    `${error === undefined ? '' : 'Waiting '}for ${elapsed(nowMs - Date.parse(since))}`,
    ...(dueMs > 0 ? [`next try in ${Math.ceil(dueMs / 1_000)} s`] : []),
  ];
  const times = (
    <span className="countdown" aria-hidden="true">
      {facts.join(', ')}
    </span>
  );
  if (error === undefined) {
    return (
      <Line>
        {what ?? waitingSentences[reason] ?? 'Waiting'} {times}
      </Line>
    );
  }
  return (
    <ProblemNote problem={error} tone="warning">
      <span>{what ?? 'The message is kept and goes on by itself'}.</span>
      {times}
    </ProblemNote>
  );
}

function ModelLoading({ status }: { readonly status: StatusResource | null }) {
  const progress = status?.model.progress ?? null;
  return (
    <Line>
      {waitingSentences.model_loading}
      {progress !== null && ` (${percent(progress)})`}
    </Line>
  );
}

/** A failed attempt between its failure and the next try. */
function Retry({ failed }: { readonly failed: AttemptFailed }) {
  const nowMs = useNow(true);
  const seconds = Math.ceil((Date.parse(failed.retryAt) - nowMs) / 1_000);
  const withdrawn = withdrawnSentence(failed.discardedChars, failed.attempt, failed.atLeast === true);
  return (
    <ProblemNote problem={failed.error} tone="warning">
      <span>
        Attempt {failed.attempt} of {failed.maxAttempts} failed{withdrawn !== null && `; ${withdrawn}`}.
      </span>
      <span className="countdown" aria-hidden="true">
        {seconds > 0 ? `Next try in ${seconds} s` : 'Trying again…'}
      </span>
    </ProblemNote>
  );
}

function Line({ children, still = false }: { readonly children: ReactNode; readonly still?: boolean }) {
  return (
    <p className="progress-line">
      {!still && (
        <span className="dots" aria-hidden="true">
          <i />
          <i />
          <i />
        </span>
      )}
      {children}
    </p>
  );
}
