// A plan: what the model does with each call of one turn, and what breaks meanwhile. Data only, so that it can be drawn
// by a seed, printed, and played again. Moments are events of the turn, never times.

import type { SequencedEvent } from '../../src/protocol/events.ts';
import type { BusyMode } from '../../src/protocol/turn.ts';
import type { CallPlan } from './model-calls.ts';

export type Moment =
  /** The message was handed to the socket. */
  | { readonly at: 'sent' }
  /** The turn came to its `nth` event of this type, from 1. */
  | { readonly at: 'event'; readonly type: SequencedEvent['type']; readonly nth: number }
  /** The model server wrote so many pieces of its `call`-th reply, both from 1; it waits there until the fault is in. */
  | { readonly at: 'chunk'; readonly call: number; readonly chunk: number }
  /** A worker is about to use the graph for the turn. */
  | { readonly at: 'graph'; readonly method: GraphMethod }
  /** The first reader has the end. */
  | { readonly at: 'end' };

export const graphMethods = [
  'foresee',
  'linkForeseen',
  'linkTurn',
  'history',
  'savePrompt',
  'readPrompt',
  'storeTurn',
] as const;
export type GraphMethod = (typeof graphMethods)[number];
export type GatewayName = 'near' | 'far';

export type Fault =
  /** The first calls of the method do not succeed, lose their reply, or are late. */
  | {
      readonly kind: 'graph';
      readonly method: GraphMethod;
      readonly how: 'away' | 'reply lost' | 'slow';
      readonly times: number;
    }
  /** The live lane loses, repeats and reorders, as the seed says. */
  | { readonly kind: 'lane'; readonly seed: number }
  /** The first reader's socket breaks, or its gateway ends and another one takes its place. */
  | {
      readonly kind: 'cut';
      readonly what: 'socket' | 'gateway';
      readonly back: GatewayName;
      readonly moment: Moment;
    }
  /** `held`: the model server says no more, so that the stop cannot come too late. */
  | {
      readonly kind: 'stop';
      readonly by: 'first reader' | 'second reader' | 'request';
      readonly held: boolean;
      readonly moment: Moment;
    }
  | { readonly kind: 'sent twice'; readonly where: 'same socket' | 'another device'; readonly moment: Moment }
  | { readonly kind: 'next message'; readonly busy: BusyMode; readonly moment: Moment }
  /** The only reader goes and does not come back; the turn is read when it is over. */
  | { readonly kind: 'leave'; readonly moment: Moment }
  /** SIGKILL for the worker that holds the model's call; at a moment without a call, for every worker. */
  | { readonly kind: 'worker kill'; readonly moment: Moment };

export type FaultKind = Fault['kind'];

export interface Plan {
  /** One behaviour a call; calls beyond the script are answered. */
  readonly calls: readonly [CallPlan, ...CallPlan[]];
  readonly faults: readonly Fault[];
  /** Where the first reader begins. */
  readonly home: GatewayName;
  /** Another message follows in the same conversation when everything is over. */
  readonly afterwards: boolean;
}

/** One line a part, for a person who wants to know what broke. */
export function describePlan({ calls, faults, home, afterwards }: Plan): string {
  return [
    ...calls.map(
      ({ kind, chunks, reasoning }, index) =>
        `  call ${index + 1}: ${kind}, ${chunks.length} pieces ${JSON.stringify(chunks.join(''))}` +
        (reasoning.length === 0 ? '' : `, ${reasoning.length} of reasoning`),
    ),
    ...faults.map((fault, index) => `  fault ${index + 1}: ${describeFault(fault)}`),
    `  first reader at the ${home} gateway${afterwards ? '; one more message afterwards' : ''}`,
  ].join('\n');
}

function describeFault(fault: Fault): string {
  const { kind, moment, ...rest } = { moment: null, ...fault };
  const how = Object.entries(rest).map(([key, value]) => `${key} ${String(value)}`);
  return [kind, ...how, ...(moment === null ? [] : [describeMoment(moment)])].join(', ');
}

function describeMoment(moment: Moment): string {
  switch (moment.at) {
    case 'sent':
      return 'when the message was sent';
    case 'event':
      return `at ${moment.type} ${moment.nth}`;
    case 'chunk':
      return `behind piece ${moment.chunk} of call ${moment.call}`;
    case 'graph':
      return `before ${moment.method}`;
    case 'end':
      return 'behind the end';
  }
}
