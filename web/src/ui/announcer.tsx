// Tells a screen reader when an answer begins and ends. The growing text itself is not announced: read out piece by
// piece it would drown everything else.

import { answerOfTurn, errorOfTurn, stateOfTurn, type Turn } from '../turn.ts';
import { cancelledSentences } from '../wording.ts';

interface AnnouncerProps {
  readonly turns: readonly Turn[];
}

export function Announcer({ turns }: AnnouncerProps) {
  const last = turns.findLast((turn) => turn.transcript.log.length > 0);
  return (
    <p className="visually-hidden" role="status">
      {last === undefined ? '' : sentenceFor(last)}
    </p>
  );
}

function sentenceFor(turn: Turn): string {
  switch (stateOfTurn(turn)) {
    case 'completed':
      return `Answer: ${answerOfTurn(turn)}`;
    case 'failed':
      return errorOfTurn(turn)?.message ?? '';
    case 'cancelled':
      return cancelledSentences.user;
    case 'queued':
      return 'Message queued';
    default:
      return answerOfTurn(turn) === '' ? 'Message sent' : 'The answer arrives';
  }
}
