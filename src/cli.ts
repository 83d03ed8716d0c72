// The command `candor`. Reads the configuration, hands it down, owns the terminal and the signals; everything else is
// elsewhere, and loaded when its command is given: Temporal and Neo4j cost a second that `verify` does not need.

import { Command } from 'commander';
import { ConfigError, loadConfig, toPrintable } from './config.ts';
import { CandorError, errorCatalogue } from './protocol/errors.ts';
import { readRunning } from './run/data-folder.ts';
import { StartError } from './run/start-error.ts';

interface ChatFlags {
  readonly url?: string;
  readonly token?: string;
  readonly conversation?: string;
  readonly continue?: true;
  readonly message?: string;
  readonly json?: true;
  readonly events?: true;
  readonly plain?: true;
  readonly color: boolean;
}

const say = (line: string): void => console.log(line);

/** Runs the command line; sets the exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('candor')
    .description('A durable agent chat backend on Temporal.')
    .configureHelp({ sortSubcommands: true });

  program
    .command('start')
    .description('run everything on this machine: Temporal, Neo4j, a model, worker and gateway')
    .option('--model <model>', 'small, none, or the address of an OpenAI-compatible server')
    .action(({ model }: { model?: string }) =>
      untilSignal(async (signal) => {
        const { start } = await import('./run/start.ts');
        await start({ config: loadConfig(), env: process.env, model: model ?? null, say, signal });
      }),
    );
  for (const role of ['worker', 'gateway'] as const) {
    program
      .command(role)
      .description(`run a ${role} against the servers of the configuration`)
      .action(() =>
        untilSignal(async (signal) => {
          const { serve } = await import('./run/serve.ts');
          await serve(role, { config: loadConfig(), say, signal });
        }),
      );
  }
  program
    .command('chat')
    .description('talk to an agent in this terminal; see docs/chat.md')
    .argument('[agent]', 'its id; else the first of the gateway')
    .option('--url <url>', 'a gateway; else the running product of this data folder')
    .option('--token <token>', 'of the user; else CANDOR_TOKEN, else one for the running product')
    .option('--conversation <id>', 'go on with this conversation')
    .option('--continue', 'go on with the conversation that was used last')
    .option('--message <text>', 'ask this, print the answer, end')
    .option('--json', 'print every event as a line of JSON')
    .option('--events', 'show every event of a turn')
    .option('--plain', 'only go on, draw nothing twice')
    .option('--no-color', 'without colors')
    .action(async (agent: string | undefined, given: ChatFlags) => {
      const { chat } = await import('./run/chat.ts');
      process.exitCode = await chat({
        agent: agent ?? null,
        url: given.url ?? null,
        token: given.token ?? process.env['CANDOR_TOKEN'] ?? null,
        conversation: given.conversation ?? null,
        isContinued: given.continue ?? false,
        message: given.message ?? null,
        json: given.json ?? false,
        color: given.color,
        plain: given.plain ?? false,
        events: given.events ?? false,
        config: loadConfig(),
        env: process.env,
        stdin: process.stdin,
        stdout: process.stdout,
        stderr: process.stderr,
      });
    });
  program
    .command('token')
    .description('print a development token for the running product')
    .option('--user <user>', 'claim sub', 'local')
    .option('--tier <tier>', 'free, early, mid or enterprise', 'enterprise')
    .option('--role <role...>', 'claim roles', [])
    .action(async ({ user, tier, role }: { user: string; tier: string; role: string[] }) => {
      const known = (['free', 'early', 'mid', 'enterprise'] as const).find((name) => name === tier);
      if (known === undefined)
        throw new StartError(`unable to make a token; ${tier} is no tier: free, early, mid or enterprise`);
      const [{ loadDevKey }, { issueDevToken }] = await Promise.all([
        import('./api/auth/dev-keys.ts'),
        import('./api/auth/dev-token.ts'),
      ]);
      const key = await loadDevKey(loadConfig().paths.data);
      say(await issueDevToken(key, { user, tier: known, roles: role }));
    });
  program
    .command('ingest')
    .description('load the knowledge folder into the graph')
    .argument('[folder]', 'markdown files')
    .action(async (folder?: string) => {
      const config = loadConfig();
      const running = await readRunning(config.paths.data);
      const { uri, user, password } = config.neo4j;
      const address = uri !== null && password !== null ? { uri, user, password } : running?.neo4j;
      if (address === undefined)
        throw new StartError('unable to load knowledge; Candor does not run and NEO4J_URI is not set');
      const { createGraph } = await import('./graph/neo4j.ts');
      const { loadKnowledge } = await import('./knowledge/load-knowledge.ts');
      const graph = createGraph(address);
      try {
        await graph.migrate();
        await loadKnowledge(folder ?? config.paths.knowledge, graph, say);
      } finally {
        await graph.close();
      }
    });
  program
    .command('verify')
    .description('check receipts offline: valid, changed, by another key, without a predecessor')
    .argument('<file>', 'a receipt, a turn or a conversation as JSON; see docs/receipts.md')
    .option(
      '--keys <file>',
      'the published keys, /.well-known/candor-keys.json of a gateway; else the key of this data folder',
    )
    .option('--answer <file>', 'a text to compare with the answer')
    .option('--json', 'print the verdicts as JSON')
    .action(async (file: string, { keys, answer, json }: { keys?: string; answer?: string; json?: true }) => {
      const { verify, verifyExit } = await import('./run/verify.ts');
      // Until something is known: whatever fails from here on could not be read.
      process.exitCode = verifyExit.unreadable;
      const options = { file, keys: keys ?? null, answer: answer ?? null, json: json ?? false, loadConfig, say };
      process.exitCode = await verify(options);
    });
  program
    .command('config')
    .description('print the configuration, secrets masked, and where each value came from')
    .action(() => {
      for (const { name, value, source } of toPrintable(loadConfig())) say(`${name} = ${value}  # ${source}`);
    });

  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    const advice = await toAdvice(error);
    if (advice === null) throw error;
    console.error(advice);
    process.exitCode ??= 1;
  }
}

/**
 * One line for a failure that was foreseen, else `null`. One of the catalogue keeps what its operator can do apart from
 * its sentence, which is for users.
 */
async function toAdvice(error: unknown): Promise<string | null> {
  if (error instanceof CandorError) return `${error.message} ${errorCatalogue[error.code].recovery}`;
  if (error instanceof StartError || error instanceof ConfigError) return error.message;
  const { PartError } = await import('./parts/index.ts');
  return error instanceof PartError ? error.message : null;
}

/** npm passes a terminal's Ctrl-C on to its child, which has had it already: both are one wish. */
const sameWishMs = 1_000;

/** Runs until Ctrl-C, SIGTERM or SIGHUP. A second one does not wait. */
async function untilSignal(run: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  let askedAtMs = 0;
  const onSignal = (): void => {
    if (!stop.signal.aborted) {
      askedAtMs = performance.now();
      stop.abort();
      console.log('\nstopping …');
    } else if (performance.now() - askedAtMs > sameWishMs) process.exit(130);
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, onSignal);
  try {
    await run(stop.signal);
  } finally {
    for (const name of names) process.off(name, onSignal);
  }
}
