// Whether a message may go, has to wait, or is not accepted into its conversation: pure, from what the transaction read
// while it held the conversation's lock. The graph's list of open turns is a hint about running workflows, never a lock:
// whoever is told to wait asks the engine, and comes back with what it found.

import { CandorError } from '../protocol/errors.ts';
import type { TurnId, UserId } from '../protocol/ids.ts';
import { maxQueuedTurns } from '../protocol/limits.ts';
import type { LinkTurnInput, LinkTurnResult } from '../protocol/ports.ts';
import type { TurnResult } from '../protocol/turn.ts';

export interface OpenTurn {
  readonly turnId: TurnId;
  /** Place in the order of linking, from 1. */
  readonly position: number;
}

/** What the locked conversation looks like to a turn. */
export interface LinkFacts {
  readonly ownerId: UserId;
  /** Turns linked so far. */
  readonly length: number;
  /** The turn itself, when it is linked already; perhaps another user's, perhaps in another conversation. */
  readonly own: {
    readonly userId: UserId;
    readonly contentSha256: string;
    readonly position: number;
    readonly result: TurnResult | null;
  } | null;
  /** Every turn of the conversation without an end. */
  readonly open: readonly OpenTurn[];
  /** The turn that is to be answered anew is in this conversation. */
  readonly knowsRegenerated: boolean;
  /** The parent that was sent is in this conversation. */
  readonly knowsNamedParent: boolean;
  /** What the turn answers to: as recorded, else as asked for, else the selected leaf. */
  readonly parentTurnId: TurnId | null;
  readonly previousReceiptSha256: string | null;
}

export interface LinkDecision {
  readonly result: LinkTurnResult;
  /** `null`: nothing is written. */
  readonly write: { readonly parentTurnId: TurnId | null; readonly position: number } | null;
}

/** @throws CandorError `conversation_not_found`, `turn_not_found`, `turn_conflict` */
export function decideLink({ turn, released }: LinkTurnInput, facts: LinkFacts): LinkDecision {
  const { own, parentTurnId, previousReceiptSha256 } = facts;
  const free: LinkTurnResult = { kind: 'linked', parentTurnId, previousReceiptSha256 };

  if (own !== null) {
    if (own.userId !== turn.userId) throw new CandorError('turn_not_found');
    if (own.contentSha256 !== turn.contentSha256) throw new CandorError('turn_conflict');
    if (own.result !== null) return { result: { kind: 'finished', result: own.result }, write: null };
    const behind = nearest(before(facts.open, own.position, released));
    return { result: behind === null ? free : { kind: 'busy', behind, linked: true }, write: null };
  }

  if (facts.ownerId !== turn.userId) throw new CandorError('conversation_not_found');
  if (turn.regenerateOf !== null && !facts.knowsRegenerated) throw new CandorError('turn_not_found');
  if (turn.parentTurnId !== null && !facts.knowsNamedParent) throw new CandorError('turn_not_found');

  const position = facts.length + 1;
  const ahead = before(facts.open, position, released);
  const behind = nearest(ahead);
  const write = { parentTurnId, position };
  if (behind === null) return { result: free, write };
  if (turn.busy === 'reject') return { result: { kind: 'busy', behind, linked: false }, write: null };
  // The first of those ahead is the one that runs; the others wait.
  if (ahead.length - 1 >= maxQueuedTurns) return { result: { kind: 'full' }, write: null };
  return { result: { kind: 'busy', behind, linked: true }, write };
}

/** Never the turn itself: a repeat of a link whose reply was lost must not wait for itself. */
function before(open: readonly OpenTurn[], position: number, released: TurnId | null): readonly OpenTurn[] {
  return open.filter((turn) => turn.position < position && turn.turnId !== released);
}

/**
 * The last of those ahead that is still open. Not simply the predecessor: that one may have been withdrawn while the
 * turn before it still runs.
 */
function nearest(ahead: readonly OpenTurn[]): TurnId | null {
  return (
    ahead.reduce<OpenTurn | null>((last, turn) => (last === null || turn.position > last.position ? turn : last), null)
      ?.turnId ?? null
  );
}
