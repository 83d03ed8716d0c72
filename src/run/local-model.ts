// The bundled model behind the page: fetched, loaded and, should its process end, started again, while turns already wait
// for it. Its state is one value that the page, the terminal and the worker read.

import type { ModelStatus } from '../api/gateway-dependencies.ts';
import {
  formatProgress,
  PartError,
  prepareModel,
  startModelServer,
  type LocalModelSize,
  type PartsContext,
  type Supervisor,
} from '../parts/index.ts';
import type { ModelReadiness } from '../protocol/ports.ts';

export interface LocalModelRun {
  readonly status: () => ModelStatus;
  readonly readiness: ModelReadiness;
  /** Resolves when the model answered for the first time; rejects when it cannot come. */
  readonly ready: Promise<void>;
}

export interface LocalModelOptions {
  readonly context: PartsContext;
  readonly supervisor: Supervisor;
  readonly size: LocalModelSize;
  /** Name under which it is offered. */
  readonly alias: string;
  readonly port: number;
  readonly say: (line: string) => void;
}

const maxRestarts = 3;

export function runLocalModel({ context, supervisor, size, alias, port, say }: LocalModelOptions): LocalModelRun {
  let status: ModelStatus = { state: 'loading', name: alias, detail: 'looking for the model', small: true };
  const set = (state: ModelStatus['state'], detail: string, progress?: number): void => {
    status = { state, name: alias, detail, small: true, ...(progress === undefined ? {} : { progress }) };
  };
  const watched: PartsContext = {
    ...context,
    report(event) {
      context.report(event);
      if (event.kind !== 'progress') return;
      set('loading', formatProgress(event), event.totalBytes === null ? undefined : event.bytes / event.totalBytes);
    },
  };

  const load = async (): Promise<void> => {
    const { llama, file } = await prepareModel(watched, size);
    say(`${file.why}; ${file.path}`);
    for (let starts = 0; ; starts++) {
      set('loading', 'loading the model into memory');
      const { env } = context;
      const server = await startModelServer({
        supervisor,
        modelFile: file.path,
        llamaDir: llama.path,
        port,
        alias,
        env,
      });
      await server.ready;
      set('ready', 'answers');
      if (starts === 0) markReady();
      void server.exited.then(() =>
        starts < maxRestarts
          ? undefined
          : set('failed', `its process ended ${starts + 1} times; see ${server.logFile}`),
      );
      await server.exited;
      if (context.signal?.aborted === true || starts >= maxRestarts) return;
      say('model: its process ended; starting it again');
    }
  };

  let markReady: () => void = () => undefined;
  const answered = new Promise<void>((resolve) => (markReady = resolve));
  const failed = load().then(
    () => new Promise<never>(() => undefined),
    (error: unknown) => {
      set('failed', error instanceof PartError ? error.message : 'an unexpected error');
      if (context.signal?.aborted !== true) say(error instanceof Error ? error.message : String(error));
      throw error;
    },
  );
  const ready = Promise.race([answered, failed]);
  // Swallowed: told by `say` and by the status; whoever waits for it sees it too.
  ready.catch(() => undefined);

  return {
    status: () => status,
    readiness: () => {
      if (status.state === 'ready') return null;
      if (status.state === 'failed') return { state: 'failed', reason: status.detail ?? 'it could not be started' };
      return { state: 'loading', progress: status.progress ?? null };
    },
    ready,
  };
}
