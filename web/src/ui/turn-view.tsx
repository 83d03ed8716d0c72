// One exchange: the question, the answer as far as it is there, where the turn stands, and its evidence on demand.

import { memo, useDeferredValue } from 'react';
import type { Chat } from '../chat.ts';
import type { StatusResource } from '../resources.ts';
import {
  answerOfTurn,
  errorOfTurn,
  isIncomplete,
  isOver,
  isUnstored,
  questionOf,
  stateOfTurn,
  type Turn,
} from '../turn.ts';
import { Markdown } from './markdown.tsx';
import { Failure } from './failure.tsx';
import { Sources } from './sources.tsx';
import { TurnFoot } from './turn-foot.tsx';
import { TurnProgress } from './turn-progress.tsx';

interface TurnViewProps {
  readonly chat: Chat;
  readonly turn: Turn;
  readonly status: StatusResource | null;
}

export const TurnView = memo(function TurnView({ chat, turn, status }: TurnViewProps) {
  const state = stateOfTurn(turn);
  const answer = useDeferredValue(answerOfTurn(turn));
  const error = errorOfTurn(turn);
  const over = isOver(turn);
  return (
    <article className="turn" data-testid="turn" data-state={state} aria-label="Exchange">
      <div className="question" data-waiting={state === 'queued' || state === 'unsent'}>
        <h3 className="visually-hidden">You wrote</h3>
        <p>{questionOf(turn)}</p>
      </div>
      <div className="reply">
        <h3 className="visually-hidden">Answer</h3>
        {answer !== '' && (
          <div
            className="answer"
            data-testid="answer"
            data-streaming={!over && !isUnstored(turn)}
            data-stopped={state === 'cancelled'}
            aria-busy={!over}
          >
            <Markdown text={answer} />
          </div>
        )}
        {state === 'completed' && isIncomplete(turn) && (
          <p className="mark warning" data-testid="incomplete">
            Incomplete: the model reached its limit of length.
          </p>
        )}
        {error !== null && <Failure chat={chat} turn={turn} error={error} />}
        <TurnProgress chat={chat} turn={turn} state={state} hasText={answer !== ''} status={status} />
        {over && <Sources turn={turn} />}
        {state !== 'unsent' && <TurnFoot chat={chat} turn={turn} state={state} answer={answer} />}
      </div>
    </article>
  );
});
