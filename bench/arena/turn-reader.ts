// One turn as its user receives it: when each piece of text came, and whether the pieces are the answer, exactly once.
// Judged without the product's own reducer, which would forgive what is to be found here, and cheap, because it shares a
// process with the model's server that it is measured against.

import type { ServerFrame } from '../../src/protocol/frames.ts';

export interface TurnReading {
  /** Milliseconds since the epoch, with fractions, as are all times here. */
  readonly sentAt: number;
  readonly endedAt: number;
  readonly text: string;
  /** Where each piece ended in the text, and when it came. */
  readonly pieces: readonly { readonly end: number; readonly at: number }[];
  /** Characters that came again although the socket had brought them. */
  readonly doubled: number;
  /** Characters that were missing when the next piece came. */
  readonly lost: number;
}

export interface TurnReader {
  take(frame: ServerFrame): void;
  /** Rejects with what the product said when the turn did not complete. */
  readonly ended: Promise<TurnReading>;
}

const nowMs = (): number => performance.timeOrigin + performance.now();

export function createTurnReader(): TurnReader {
  const sentAt = nowMs();
  const pieces: { end: number; at: number }[] = [];
  let text = '';
  let attempt = 1;
  let doubled = 0;
  let lost = 0;
  let resolve: (reading: TurnReading) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const ended = new Promise<TurnReading>((...both) => ([resolve, reject] = both));

  return {
    ended,
    take(frame) {
      switch (frame.type) {
        case 'delta': {
          if (frame.channel !== 'answer') return;
          if (frame.attempt > attempt) {
            attempt = frame.attempt;
            text = '';
            pieces.length = 0;
          }
          const known = Math.max(0, text.length - frame.offset);
          doubled += Math.min(known, frame.text.length);
          lost += Math.max(0, frame.offset - text.length);
          text += frame.text.slice(known);
          pieces.push({ end: frame.offset + frame.text.length, at: nowMs() });
          return;
        }
        case 'agent_completed':
          lost += Math.max(0, frame.text.length - text.length);
          return;
        case 'turn_completed':
          return resolve({ sentAt, endedAt: nowMs(), text, pieces, doubled, lost });
        case 'turn_failed':
        case 'turn_cancelled':
        case 'error':
          return reject(new Error(`unable to measure a turn; it ended otherwise: ${JSON.stringify(frame)}`));
        default:
      }
    },
  };
}

/**
 * How long each token took from the model's server to the reader, in milliseconds.
 *
 * @param writtenAt when each was written
 * @param tokens their texts
 */
export function toLatencies(
  { pieces }: Pick<TurnReading, 'pieces'>,
  tokens: readonly string[],
  writtenAt: readonly number[],
): readonly number[] {
  let end = 0;
  let piece = 0;
  return tokens.map((token, index) => {
    end += token.length;
    while ((pieces[piece]?.end ?? end) < end) piece += 1;
    const at = pieces[piece]?.at;
    const wrote = writtenAt[index];
    if (at === undefined || wrote === undefined) throw new Error('unable to measure a token; it never came');
    return at - wrote;
  });
}
