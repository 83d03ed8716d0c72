// What the phases of a turn share: its state while it works, and how that work ended.

import type { RetrieveAgentResult, StreamResult } from '../protocol/activities.ts';
import type { ErrorInfo } from '../protocol/errors.ts';
import type { TurnId } from '../protocol/ids.ts';
import type { TurnInput, TurnResult } from '../protocol/turn.ts';
import type { EventLog } from './event-log.ts';
import type { Followers } from './followers.ts';
import type { Ledger } from './receipt.ts';
import type { Stop } from './stop.ts';

export type Ready = Extract<RetrieveAgentResult, { kind: 'ready' }>;

/** An end that this turn has to record and to tell. */
export type OwnEnd =
  | { readonly kind: 'answered'; readonly reply: StreamResult }
  | { readonly kind: 'stopped'; readonly reply: StreamResult | null }
  | { readonly kind: 'failed'; readonly error: ErrorInfo; readonly linked: boolean };

/** How the work of a turn ended. `finished`: the graph knew an end of it already. */
export type End = OwnEnd | { readonly kind: 'finished'; readonly result: TurnResult };

export interface Turn {
  readonly input: TurnInput;
  readonly log: EventLog;
  readonly ledger: Ledger;
  readonly stop: Stop;
  readonly followers: Followers;
  /** The turn this one waits for; whom to pass on when it is withdrawn. */
  waitsFor: TurnId | null;
  /** Told with every error of the turn, once the agent is known; the plan has it. */
  support: string | null;
}

/** The sandbox's clock, ISO 8601. */
export const now = (): string => new Date().toISOString();
