// What a process has cost so far, by the operating system's own count: for a server that cannot be asked.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Ticks of /proc are hundredths of a second on every Linux that Node runs on. */
const msPerTick = 10;

/** User and system time in milliseconds, as fine as 10 ms. @throws Error when there is no such process */
export async function readProcessorMs(pid: number): Promise<number> {
  if (process.platform === 'linux') return parseStat(await readFile(`/proc/${pid}/stat`, 'utf8'));
  const { stdout } = await promisify(execFile)('ps', ['-o', 'time=', '-p', `${pid}`]);
  return parsePsTime(stdout);
}

/** The name of the program may hold spaces and brackets; what is counted stands behind it. */
export function parseStat(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  if (Number.isNaN(user + system)) throw new Error(`unable to read processor time; /proc has «${stat.trim()}»`);
  return (user + system) * msPerTick;
}

/** `[[days-]hours:]minutes:seconds[.hundredths]` */
export function parsePsTime(text: string): number {
  const [clock = '', days = '0'] = text.trim().split('-').reverse();
  const seconds = clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) + Number(days) * 86_400;
  if (clock === '' || Number.isNaN(seconds)) throw new Error(`unable to read processor time; ps says «${text.trim()}»`);
  return seconds * 1_000;
}
