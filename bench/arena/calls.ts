// Calls between the process that measures and those that are measured, over Node's own channel between parent and child:
// one message a call, one for its answer.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Functions of the other process, by name; arguments and results are JSON. */
export type Calls = Record<string, (argument: never) => Promise<unknown>>;

type Argument<Call> = Call extends (argument: infer Given) => Promise<unknown> ? Given : never;
type Result<Call> = Call extends (argument: never) => Promise<infer Given> ? Given : never;

interface Request {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}
type Answer = { readonly id: number } & ({ readonly result: unknown } | { readonly error: string });

export interface Peer<Served extends Calls> {
  readonly pid: number;
  /** @throws Error with what the other process threw, or that it has ended */
  call<Name extends keyof Served & string>(name: Name, argument: Argument<Served[Name]>): Promise<Result<Served[Name]>>;
  /** Lets go of it; resolves when it has ended. */
  close(): Promise<void>;
}

/** Starts a module that calls {@link serveCalls}. */
export function forkPeer<Served extends Calls>(module: URL): Peer<Served> {
  const child = fork(fileURLToPath(module), { execArgv: ['--import', 'tsx'] });
  const waiting = new Map<number, (answer: Answer) => void>();
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.on('message', (answer: Answer) => waiting.get(answer.id)?.(answer));
  let count = 0;
  return {
    pid: child.pid ?? 0,
    async call(name, argument) {
      const id = ++count;
      const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve));
      const request: Request = { id, name, argument };
      child.send(request);
      const answer = await Promise.race([
        answered,
        ended.then((code) => ({ id, error: `unable to go on; the process that was to ${name} ended with ${code}` })),
      ]);
      waiting.delete(id);
      if ('error' in answer) throw new Error(answer.error);
      return answer.result as Result<Served[typeof name]>;
    },
    async close() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

/** Answers calls until the parent lets go of this process, then closes and ends it. */
export function serveCalls(served: Calls, close: () => Promise<void>): void {
  process.on('message', ({ id, name, argument }: Request) => {
    const answer = (rest: { readonly result: unknown } | { readonly error: string }): void =>
      void process.send?.({ id, ...rest });
    served[name]?.(argument as never).then(
      (result) => answer({ result }),
      (error: unknown) => answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  process.once('disconnect', () => void close().finally(() => process.exit()));
}
