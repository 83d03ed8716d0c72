/**
 * What every part is given: where to keep things, for which platform, and whom to tell. Passed down by the command, so
 * that this module has no state and reads no environment of its own.
 */
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import type { Platform } from './platform.ts';
import type { Report } from './progress.ts';

export type Env = Readonly<Record<string, string | undefined>>;

export interface PartsContext {
  readonly cacheDir: string;
  readonly platform: Platform;
  readonly env: Env;
  readonly report: Report;
  /** Ends what is being fetched; nothing half-written is ever taken for whole. */
  readonly signal?: AbortSignal;
}

/** `CANDOR_CACHE_DIR`, else `candor` in the user's cache folder, as the platform has it. */
export function toCacheDir(env: Env, platform: Platform, home: string = homedir()): string {
  const asked = env['CANDOR_CACHE_DIR'];
  if (asked !== undefined && asked !== '') return resolve(asked);
  if (platform.startsWith('darwin-')) return join(home, 'Library', 'Caches', 'candor');
  const xdg = env['XDG_CACHE_HOME'];
  // The XDG specification has relative paths ignored.
  return xdg !== undefined && isAbsolute(xdg) ? join(xdg, 'candor') : join(home, '.cache', 'candor');
}
