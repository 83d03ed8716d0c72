// Draws plans. Moments are drawn to fit the script – a piece that its call really writes, an event that its course has –
// so that few faults miss. The same seed draws the same plan; fast-check also makes a failing one smaller.

import fc from 'fast-check';
import { callRows, type CallKind, type CallPlan } from './model-calls.ts';
import { graphMethods, type Fault, type GatewayName, type Moment, type Plan } from './plan.ts';

const words = fc.constantFrom(
  ...['A job ', 'is restarted ', 'with `conman rr`.', '\n\n', '🙂', '👩‍🚒', 'Straße ', '漢字', '"quoted\\" ', '\u0000'],
  ...['{"json": true} ', 'e\u0301', '𝔘𝔫𝔦 ', 'data: [DONE]\n', '<b>', '  '],
);

/** A text and the places where it is cut, which may lie within a surrogate pair. */
const chunks = (most: number): fc.Arbitrary<readonly string[]> =>
  fc.array(words, { minLength: 1, maxLength: most }).chain((said) => {
    const text = said.join('');
    return fc
      .uniqueArray(fc.integer({ min: 1, max: Math.max(1, text.length - 1) }), { maxLength: most })
      .map((places) => [0, ...places.toSorted((a, b) => a - b), text.length])
      .map((places) => places.slice(1).map((end, index) => text.slice(places[index], end)))
      .map((pieces) => pieces.filter((piece) => piece !== ''));
  });

const toCall = (kind: CallKind): fc.Arbitrary<CallPlan> => {
  const { text } = callRows[kind];
  return fc.record({
    kind: fc.constant(kind),
    chunks: text === 'none' ? fc.constant([]) : chunks(text === 'whole' ? 24 : 10),
    reasoning: text === 'none' ? fc.constant([]) : fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, reasoning),
  });
};
const reasoning = fc.array(fc.constantFrom('First I think, ', 'then 🙂 ', 'I know.'), { minLength: 1, maxLength: 4 });

const kinds = Object.keys(callRows) as CallKind[];
const oneOf = (fits: (kind: CallKind) => boolean): fc.Arbitrary<CallPlan> =>
  fc.oneof(
    ...kinds
      .filter(fits)
      .map((kind) => ({ weight: callRows[kind].weight, arbitrary: fc.constant(kind).chain(toCall) })),
  );

const isTriedAgain = (kind: CallKind): boolean => {
  const { ends } = callRows[kind];
  return ends.kind === 'failed' && ends.triedAgain;
};
const failing = oneOf(isTriedAgain);
const last = oneOf((kind) => !isTriedAgain(kind));

/** Most turns try once or twice: each further try takes seconds. Four that fail end the turn. */
const script: fc.Arbitrary<readonly [CallPlan, ...CallPlan[]]> = fc.oneof(
  { weight: 50, arbitrary: fc.tuple(last) },
  { weight: 36, arbitrary: fc.tuple(failing, last) },
  { weight: 8, arbitrary: fc.tuple(failing, failing, last) },
  { weight: 3, arbitrary: fc.tuple(failing, failing, failing, last) },
  { weight: 3, arbitrary: fc.tuple(failing, failing, failing, failing) },
);

function momentsOf(calls: readonly CallPlan[], isKill: boolean): fc.Arbitrary<Moment> {
  const pieces = calls.flatMap(({ chunks: { length } }, index) =>
    length === 0
      ? []
      : [
          {
            weight: 12,
            arbitrary: fc
              .integer({ min: 1, max: length })
              .map((chunk): Moment => ({ at: 'chunk', call: index + 1, chunk })),
          },
        ],
  );
  const event = (type: Extract<Moment, { at: 'event' }>['type'], weight: number, most = 1) => ({
    weight,
    arbitrary: fc.integer({ min: 1, max: most }).map((nth): Moment => ({ at: 'event', type, nth })),
  });
  const isAnswered = callRows[(calls.at(-1) as CallPlan).kind].ends.kind === 'answered';
  const failures = calls.filter(({ kind }) => isTriedAgain(kind)).length;
  return fc.oneof(
    ...pieces,
    event('agent_thinking', isKill ? 2 : 4, calls.length),
    // A worker that dies while it retrieves or stores is missed after 15 and 30 s: few of these, they take their time.
    event('turn_accepted', isKill ? 1 : 4),
    ...(failures > 0 && calls.length > 1 ? [event('attempt_failed', 6, Math.min(failures, 3))] : []),
    ...(isAnswered ? [event('agent_completed', isKill ? 1 : 3)] : []),
    ...(isKill
      ? []
      : [
          { weight: 3, arbitrary: fc.constant<Moment>({ at: 'sent' }) },
          { weight: 2, arbitrary: fc.constant<Moment>({ at: 'end' }) },
          {
            weight: 6,
            arbitrary: fc.constantFrom(...graphMethods).map((method): Moment => ({ at: 'graph', method })),
          },
        ]),
  );
}

const gateway = fc.constantFrom<GatewayName>('near', 'far');

/** What can break in the process that a test shares with the worker. */
const inOneProcess = (moment: fc.Arbitrary<Moment>): fc.Arbitrary<Fault>[] => [
  fc.record({
    kind: fc.constant('graph'),
    method: fc.constantFrom(...graphMethods),
    how: fc.constantFrom('away', 'reply lost', 'slow'),
    times: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({
    kind: fc.constant('graph'),
    method: fc.constant('readPrompt'),
    how: fc.constant('away'),
    times: fc.constant(4),
  }),
  fc.record({ kind: fc.constant('lane'), seed: fc.nat() }),
  ...anywhere(moment),
];

/** What can break wherever the worker runs. */
const anywhere = (moment: fc.Arbitrary<Moment>): fc.Arbitrary<Fault>[] =>
  [
    fc.record({
      kind: fc.constant('cut'),
      what: fc.constantFrom('socket', 'socket', 'gateway'),
      back: gateway,
      moment,
    }),
    fc.record({
      kind: fc.constant('stop'),
      by: fc.constantFrom('first reader', 'second reader', 'request'),
      held: fc.boolean(),
      moment,
    }),
    fc.record({ kind: fc.constant('sent twice'), where: fc.constantFrom('same socket', 'another device'), moment }),
    fc.record({ kind: fc.constant('next message'), busy: fc.constantFrom('enqueue', 'interrupt', 'reject'), moment }),
    fc.record({ kind: fc.constant('leave'), moment }),
  ] as fc.Arbitrary<Fault>[];

/** Whoever has left cannot be cut off, and cannot send anything. */
function canBeTogether(faults: readonly Fault[]): boolean {
  const has = (fits: (fault: Fault) => boolean): boolean => faults.some(fits);
  if (!has((fault) => fault.kind === 'leave')) return true;
  return !has(
    (fault) =>
      fault.kind === 'cut' ||
      (fault.kind === 'stop' && fault.by !== 'request') ||
      (fault.kind === 'sent twice' && fault.where === 'same socket') ||
      ('moment' in fault && fault.moment.at === 'end'),
  );
}

const faultsOf = (calls: readonly CallPlan[]): fc.Arbitrary<readonly Fault[]> => {
  const several = (faults: fc.Arbitrary<Fault>[], most: number) =>
    fc.uniqueArray(fc.oneof(...faults), { maxLength: most, selector: ({ kind }) => kind }).filter(canBeTogether);
  const kill = fc.record({ kind: fc.constant('worker kill'), moment: momentsOf(calls, true) }) as fc.Arbitrary<Fault>;
  // What a kill meets has to wait for another worker: its companions do not name an event that it may prevent.
  const beside = several(anywhere(fc.constantFrom<Moment>({ at: 'event', type: 'turn_accepted', nth: 1 })), 1);
  return fc.oneof(
    { weight: 8, arbitrary: several(inOneProcess(momentsOf(calls, false)), 3).filter((faults) => faults.length > 0) },
    { weight: 1, arbitrary: fc.constant([]) },
    { weight: 2, arbitrary: fc.tuple(kill, beside).map(([first, rest]) => [first, ...rest]) },
  );
};

export const planArbitrary: fc.Arbitrary<Plan> = script.chain((calls) =>
  fc
    .record({
      calls: fc.constant(calls),
      faults: faultsOf(calls),
      home: gateway,
      afterwards: fc.nat({ max: 4 }).map((n) => n === 0),
    })
    .map((plan) => ({
      ...plan,
      // Only the far gateway can be replaced: the near one shares its process with a worker.
      home: plan.faults.some((fault) => fault.kind === 'cut' && fault.what === 'gateway') ? 'far' : plan.home,
    })),
);

/** Unbiased: small plans are what shrinking is for. */
export const drawingBy = (seed: number) => ({ seed, numRuns: 1, unbiased: true }) as const;

export function drawPlan(seed: number): Plan {
  return fc.sample(planArbitrary, drawingBy(seed))[0] as Plan;
}
