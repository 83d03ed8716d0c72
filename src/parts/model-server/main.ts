/**
 * The local model as a process of its own: an OpenAI-compatible server on the loopback interface that answers
 * `/health` while the model is still loading. Composition only.
 * `--model FILE --port N --alias NAME --llama DIR [--context N] [--parallel N] [--queue N] [--threads N]`
 */
import os from 'node:os';
import path from 'node:path';
import type { EngineState } from './chat-engine.ts';
import { parseFlags, type Flags } from './flags.ts';
import { loadLlamaEngine } from './llama-engine.ts';
import { importLlamaLibrary } from './llama-library.ts';
import { watchParent } from './parent-watch.ts';
import { createModelServer } from './server.ts';
import { followThreadBudget, readCpuSample } from './thread-budget.ts';

/** One sentence instead of a stack: what goes wrong here is a flag or a port. */
const fail = (error: unknown): never => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
};
const readFlags = (): Flags => {
  try {
    return parseFlags(process.argv.slice(2), os.availableParallelism());
  } catch (error) {
    return fail(error);
  }
};

const flags = readFlags();
const log = (line: string): void => console.error(line);
const nowMs = (): number => Date.now();
let state: EngineState = { status: 'loading', progress: 0 };

const baseName = path.basename(flags.modelFile);
const app = createModelServer({
  alias: flags.alias,
  otherNames: [baseName, baseName.replace(/\.gguf$/i, '')],
  state: () => state,
  nowMs,
  log,
});

// At once, whatever is being computed: open streams break off, and their readers see that they are not complete.
const stop = (): void => process.exit(0);
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
process.on('SIGHUP', stop);
watchParent(() => process.ppid, stop);

const address = await app.listen({ host: '127.0.0.1', port: flags.port }).catch(fail);
console.log(JSON.stringify({ listening: address, pid: process.pid }));

try {
  const engine = await loadLlamaEngine({
    ...flags,
    library: await importLlamaLibrary(flags.llamaDirectory),
    nowMs,
    log,
    followThreads: (apply) =>
      followThreadBudget({ maxThreads: flags.threads, cores: os.availableParallelism(), sample: readCpuSample, apply }),
    onProgress: (share) => {
      state = { status: 'loading', progress: share };
    },
  });
  state = { status: 'ready', engine };
  console.log(JSON.stringify({ ready: flags.alias, contextTokens: engine.contextTokens }));
} catch (error) {
  // Stays up: whoever started it reads the reason at /health.
  const reason = error instanceof Error ? error.message : String(error);
  state = { status: 'failed', error: reason };
  log(reason);
}
