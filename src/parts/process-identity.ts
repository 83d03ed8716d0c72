/**
 * Tells one process from a later one with the same number: by the time it started. Without it a stale record could end a
 * stranger's process.
 */
import { readFile } from 'node:fs/promises';
import { runCommand } from './client-command.ts';
import { hasCode } from './thrown.ts';

/** An opaque text, the same as long as the process lives; `undefined` when it is gone or a zombie. */
export async function readStartTime(pid: number, os: string = process.platform): Promise<string | undefined> {
  if (os === 'linux') return await readFromProc(pid);
  const { code, output } = await runCommand('ps', ['-o', 'lstart=', '-p', String(pid)]);
  return code === 0 && output.trim() !== '' ? output.trim() : undefined;
}

async function readFromProc(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets and may hold anything, also brackets and spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}
