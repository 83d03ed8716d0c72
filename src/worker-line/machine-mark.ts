// A mark that two processes share only when a loopback address means the same to both: the same machine, since the same
// boot, in the same network namespace. A refused loopback connection proves a death to those alone.

import { createHash } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

/** Twelve hex digits. Where the kernel tells neither boot nor namespace, the host's name decides. */
export async function readMachineMark(): Promise<string> {
  const parts = await Promise.all([
    readOr(() => readFile('/proc/sys/kernel/random/boot_id', 'utf8')),
    readOr(() => readlink('/proc/self/ns/net')),
  ]);
  return createHash('sha256')
    .update([hostname(), ...parts].join('\n'))
    .digest('hex')
    .slice(0, 12);
}

async function readOr(read: () => Promise<string>): Promise<string> {
  try {
    return (await read()).trim();
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'EACCES', 'EPERM', 'ENOTDIR'].includes(code)) return code;
    throw error;
  }
}
