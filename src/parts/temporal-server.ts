/**
 * Runs Temporal's development server with its UI. The polling rates are raised because the stock ones add about 40 ms to
 * each hop of a workflow; retention is set in words because the server's own is one day.
 */
import { runCommand, toLastLine } from './client-command.ts';
import type { Env } from './context.ts';
import { PartError } from './part-error.ts';
import { answers } from './ports.ts';
import type { Supervisor } from './processes.ts';
import { stopOnFailure, waitUntilReady } from './readiness.ts';

export interface TemporalOptions {
  readonly supervisor: Supervisor;
  /** The CLI. */
  readonly executable: string;
  readonly env: Env;
  /** Its database; without it everything is in memory and ends with the server. */
  readonly dbFile?: string;
  readonly ip: string;
  readonly port: number;
  /** Without it there is no UI. */
  readonly uiPort?: number;
  readonly namespace?: string;
  /** Name → type (`Keyword`, `Int`, `Datetime` …). */
  readonly searchAttributes?: Readonly<Record<string, string>>;
  readonly retentionDays?: number;
  readonly timeoutMs?: number;
}

export interface RunningTemporal {
  readonly address: string;
  readonly uiUrl: string | null;
  readonly namespace: string;
  readonly pid: number;
  readonly logFile: string;
  readonly exited: Promise<unknown>;
  stop(): Promise<void>;
}

/**
 * A file is written through the system's cache and flushed at checkpoints only: what was acknowledged survives the death
 * of the server's process, and the file stays sound whatever happens. A machine that loses power may lose the last
 * moments. A flush at each write took some 30 ms of a turn's first token (measured, ADR 0017).
 */
const pragmas = ['journal_mode=WAL', 'synchronous=NORMAL'];

const pollRates = [
  'history.transferProcessorMaxPollRPS',
  'history.timerProcessorMaxPollRPS',
  'history.visibilityProcessorMaxPollRPS',
];

/** Resolves when it answers with the namespace, its retention and the search attributes. Throws `PartError`. */
export async function startTemporal(options: TemporalOptions): Promise<RunningTemporal> {
  const {
    supervisor,
    executable,
    env,
    ip,
    port,
    uiPort,
    namespace = 'default',
    retentionDays = 30,
    timeoutMs = 60_000,
  } = options;
  const address = `${ip}:${port}`;
  const child = await supervisor.start({
    name: 'temporal',
    command: executable,
    args: toArguments(options, namespace),
    env,
  });
  return await stopOnFailure(child, async () => {
    await waitUntilReady(
      child,
      async () => (await answers(ip, port)) && (await describes(options, address, namespace)),
      { timeoutMs },
    );
    const retention = await runCommand(
      executable,
      [
        'operator',
        'namespace',
        'update',
        '--address',
        address,
        '--namespace',
        namespace,
        '--retention',
        `${retentionDays * 24}h`,
      ],
      { env, timeoutMs: 30_000 },
    );
    if (retention.code !== 0)
      throw new PartError(
        'exited',
        `unable to set Temporal's retention; ${toLastLine(retention.output)}; see ${child.logFile}`,
      );
    if (uiPort !== undefined) await waitUntilReady(child, () => answers(ip, uiPort), { timeoutMs: 30_000 });
    return {
      address,
      uiUrl: uiPort === undefined ? null : `http://${ip}:${uiPort}`,
      namespace,
      pid: child.pid,
      logFile: child.logFile,
      exited: child.exited,
      stop: () => child.stop(),
    };
  });
}

function toArguments(options: TemporalOptions, namespace: string): readonly string[] {
  const { dbFile, ip, port, uiPort, searchAttributes = {} } = options;
  return [
    ...[
      'server',
      'start-dev',
      '--ip',
      ip,
      '--port',
      String(port),
      '--namespace',
      namespace,
      '--log-format',
      'json',
      '--log-level',
      'warn',
    ],
    ...(uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort), '--ui-ip', ip]),
    ...(dbFile === undefined
      ? []
      : ['--db-filename', dbFile, ...pragmas.flatMap((pragma) => ['--sqlite-pragma', pragma])]),
    ...pollRates.flatMap((key) => ['--dynamic-config-value', `${key}=2000`]),
    ...Object.entries(searchAttributes).flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
  ];
}

/** The frontend answers before the search attributes are there. */
async function describes(options: TemporalOptions, address: string, namespace: string): Promise<boolean> {
  const { executable, env, searchAttributes = {} } = options;
  const { code, output } = await runCommand(
    executable,
    ['operator', 'search-attribute', 'list', '--address', address, '--namespace', namespace, '--output', 'json'],
    { env, timeoutMs: 20_000 },
  );
  return code === 0 && Object.keys(searchAttributes).every((name) => output.includes(`"${name}"`));
}
