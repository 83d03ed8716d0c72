// Where the time of a turn goes: marks set at our own ports, by decorators around the adapters. Nothing of the product
// is changed for it, and a mark costs a clock reading.

import type { StackOptions } from '../test/stack.ts';

type Decorate = NonNullable<StackOptions['decorate']>;

export interface Timeline {
  readonly decorate: Decorate;
  /** Forgets all marks. */
  reset(): void;
  /** Milliseconds since the epoch, with fractions; the first time it was set. */
  at(mark: string): number | undefined;
  mark(mark: string): void;
}

const nowMs = (): number => performance.timeOrigin + performance.now();

export function createTimeline(): Timeline {
  const marks = new Map<string, number>();
  const mark = (name: string): void => {
    if (!marks.has(name)) marks.set(name, nowMs());
  };
  /** Marks the begin and the end of each call of a port. */
  const watch = <Port extends object>(port: Port): Port =>
    new Proxy(port, {
      get(target, key, receiver) {
        const value: unknown = Reflect.get(target, key, receiver);
        if (typeof value !== 'function' || typeof key !== 'string') return value;
        return (...args: unknown[]): unknown => {
          mark(`${key} begin`);
          const result: unknown = Reflect.apply(value, target, args);
          if (!(result instanceof Promise)) return result;
          return result.finally(() => mark(`${key} end`));
        };
      },
    });
  return {
    decorate: {
      graph: (graph) => watch(graph),
      engine: (engine) => watch(engine),
      activities: (activities) => watch(activities),
      lane: (lane) => ({
        ...lane,
        publish(event) {
          mark(`lane ${event.type}`);
          lane.publish(event);
        },
      }),
    },
    reset: () => marks.clear(),
    at: (name) => marks.get(name),
    mark,
  };
}
