/**
 * Which of the model library's native packages belong to which platform, and its lock file cut down to them. Whole, it
 * brings builds for every graphics card: 745 MB instead of 80.
 */
import type { Platform } from './platform.ts';

/** The library's own name for the build of each platform. */
export const llamaNatives: Readonly<Record<Platform, string>> = {
  'linux-x64': '@node-llama-cpp/linux-x64',
  'linux-arm64': '@node-llama-cpp/linux-arm64',
  'darwin-arm64': '@node-llama-cpp/mac-arm64-metal',
  'darwin-x64': '@node-llama-cpp/mac-x64',
};

interface LockEntry {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
export interface LockFile {
  readonly packages: Readonly<Record<string, LockEntry>>;
}

/** The lock file without the native packages of other platforms; versions and integrity stay as they are. */
export function toSlimLock<T extends LockFile>(lock: T, platform: Platform): T {
  const isKept = (name: string): boolean => !name.startsWith('@node-llama-cpp/') || name === llamaNatives[platform];
  const packages = Object.entries(lock.packages)
    .filter(([path]) => isKept(path.replace(/^.*node_modules\//, '')))
    .map(([path, entry]): [string, LockEntry] => {
      if (entry.optionalDependencies === undefined) return [path, entry];
      const kept = Object.entries(entry.optionalDependencies).filter(([name]) => isKept(name));
      return [path, { ...entry, optionalDependencies: Object.fromEntries(kept) }];
    });
  return { ...lock, packages: Object.fromEntries(packages) };
}
