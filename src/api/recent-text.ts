// The last pieces of a turn's text as the lane brought them. A reader that has all but them is sent them joined, without a
// look at the whole text: cutting the end off a text costs as much as the text is long, for each token of a long answer.

import type { Cursor } from '../protocol/cursor.ts';
import { offsetIn } from '../protocol/cursor.ts';
import type { AgentThinking, Delta } from '../protocol/events.ts';
import type { TextStream, Transcript } from '../protocol/transcript.ts';

export interface RecentText {
  /** A piece has come. @param before the transcript without it */
  note(before: Transcript, piece: Delta): void;
  /** All that a reader at `cursor` lacks, when that is the end of one text; `null`: it may lack something else. */
  after(transcript: Transcript, cursor: Cursor): Delta | null;
}

/** A reader that lacks more is sent a cut of the whole. */
const maxPieces = 256;

type Address = Pick<TextStream, 'step' | 'attempt' | 'channel'>;

const isOf = (a: Address, b: Address): boolean =>
  a.step === b.step && a.attempt === b.attempt && a.channel === b.channel;

const endOf = ({ offset, text }: Delta): number => offset + text.length;

export function createRecentText(): RecentText {
  /** Of one text, each where the one before it ended. */
  let pieces: Delta[] = [];
  return {
    note(before, piece) {
      const last = pieces.at(-1);
      const length = before.streams.find((stream) => isOf(stream, piece))?.text.length ?? 0;
      const goesOn = last !== undefined && isOf(last, piece) && endOf(last) === piece.offset;
      if (!goesOn || length !== piece.offset) pieces = [];
      if (length === piece.offset) pieces.push(piece);
      if (pieces.length > maxPieces) pieces.splice(0, maxPieces / 2);
    },
    after({ log, streams }, cursor) {
      const last = pieces.at(-1);
      if (last === undefined || cursor.seq !== log.length) return null;
      for (const stream of streams) {
        if (isOf(stream, last)) {
          if (stream.state !== 'open' || stream.text.length !== endOf(last)) return null;
        } else if (
          stream.state === 'open' &&
          offsetIn(cursor, stream.step, stream.attempt, stream.channel) < stream.text.length
        ) {
          return null;
        }
      }
      const offset = offsetIn(cursor, last.step, last.attempt, last.channel);
      const first = pieces.findLastIndex((piece) => piece.offset === offset);
      const thinking = log.find(
        (event) => event.type === 'agent_thinking' && event.step === last.step && event.attempt === last.attempt,
      );
      if (first === -1 || thinking === undefined) return null;
      const text =
        first === pieces.length - 1
          ? last.text
          : pieces
              .slice(first)
              .map((piece) => piece.text)
              .join('');
      return toDelta(last, thinking as AgentThinking, offset, text);
    },
  };
}

/** As a cut of the whole text is: with the time and the place of its call. */
function toDelta(
  { agentId, step, attempt, channel }: Delta,
  thinking: AgentThinking,
  offset: number,
  text: string,
): Delta {
  const { conversationId, turnId, time, seq } = thinking;
  return { type: 'delta', conversationId, turnId, time, agentId, step, attempt, channel, offset, text, after: seq };
}
