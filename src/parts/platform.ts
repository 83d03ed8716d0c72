/**
 * The platforms that have every part. Anything else is refused with one sentence before any byte is fetched, because a
 * half-supported platform fails later and less clearly.
 */
import { PartError } from './part-error.ts';

export const platforms = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'darwin-x64'] as const;
export type Platform = (typeof platforms)[number];

/** Takes `process.platform` and `process.arch`; throws a `PartError` of kind `platform` for an unsupported pair. */
export function toPlatform(os: string, arch: string): Platform {
  const found = platforms.find((platform) => platform === `${os}-${arch}`);
  if (found !== undefined) return found;
  const advice = os === 'win32' ? 'run it inside WSL2' : 'run it on Linux or macOS, x64 or arm64';
  throw new PartError('platform', `unable to run on ${os} ${arch}; the real servers have no build for it; ${advice}`);
}
