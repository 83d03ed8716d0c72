// How a turn failed: the gateway's sentence and code, what of it had been shown, and what can be done now.

import type { ErrorInfo } from '../../../src/protocol/errors.ts';
import type { Chat } from '../chat.ts';
import { questionOf, withdrawnOf, type Turn } from '../turn.ts';
import { ProblemNote } from './problem-note.tsx';

interface FailureProps {
  readonly chat: Chat;
  readonly turn: Turn;
  readonly error: ErrorInfo;
}

export function Failure({ chat, turn, error }: FailureProps) {
  const withdrawn = withdrawnOf(turn);
  // A bug or an end from outside need not happen twice; the other final codes do until somebody changes something.
  const isWorthAnotherTry = error.retryable || error.code === 'internal';
  return (
    <ProblemNote problem={error}>
      {withdrawn !== null && <span data-testid="withdrawn">{withdrawn}</span>}
      {isWorthAnotherTry ? (
        <button type="button" className="button small" onClick={() => chat.send(questionOf(turn))}>
          Ask again
        </button>
      ) : (
        <span className="quiet">Asking again does not help until this is changed.</span>
      )}
    </ProblemNote>
  );
}
