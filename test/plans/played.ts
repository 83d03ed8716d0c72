// What was seen of a plan while it was played: at the readers, at the model server, in the graph.

import type { TurnEvent } from '../../src/protocol/events.ts';
import type { TurnId } from '../../src/protocol/ids.ts';
import type { StoredTurn } from '../../src/protocol/ports.ts';
import type { RecordedCall } from '../../testing/upstream/upstream.ts';
import type { Phase } from './course.ts';
import type { CallPlan } from './model-calls.ts';
import type { OtherTurn } from './other-turns.ts';
import type { Fault, FaultKind, Plan } from './plan.ts';
import type { Reader } from './reader.ts';

/** A fault that really struck. */
export interface Strike {
  /** Index of the fault in its plan. */
  readonly fault: number;
  readonly kind: FaultKind;
  readonly phase: Phase;
  /** Milliseconds since the message was sent. */
  readonly atMs: number;
}

export interface ScriptedCall {
  readonly plan: CallPlan;
  /** Everything it says when nobody stops it. */
  readonly text: string;
}

export interface Played {
  readonly plan: Plan;
  readonly turnId: TurnId;
  readonly strikes: readonly Strike[];
  /** Faults that never struck, or struck when all was over. */
  readonly missed: readonly Fault[];
  readonly readers: readonly Reader[];
  readonly others: readonly OtherTurn[];
  /** What readers got who came when the turn was over, by the name of what they asked. */
  readonly late: readonly { readonly name: string; readonly events: readonly TurnEvent[] }[];
  readonly view: {
    readonly state: string;
    readonly answer: string | null;
    readonly error: { readonly code: string } | null;
  };
  readonly stored: StoredTurn | null;
  /** The model server's side: its calls for this turn, each with what it was to say. */
  readonly calls: readonly RecordedCall[];
  readonly script: readonly ScriptedCall[];
  /** Workers killed while the turn ran, by this plan or by one beside it. */
  readonly kills: number;
  /** Who waited in vain; the rest of what was seen is then partial. */
  readonly stuck: readonly string[];
}
