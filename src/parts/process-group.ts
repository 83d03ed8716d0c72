/** Signals to whole process groups, so that what a child has started ends with it. */
import { readStartTime } from './process-identity.ts';
import { hasCode } from './thrown.ts';

/** Sends the signal to the group of `pid`; false when there is none any more. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return false;
    throw error;
  }
}

/** Ends a process that is not our child: SIGTERM, after `graceMs` SIGKILL. `startTime` must still be its own. */
export async function endStranger(pid: number, startTime: string, graceMs: number): Promise<void> {
  const lives = async (): Promise<boolean> => (await readStartTime(pid)) === startTime;
  if (!(await lives())) return;
  signalGroup(pid, 'SIGTERM');
  // The system tells only a parent of a death, so that this has to be asked for.
  const untilMs = performance.now() + graceMs;
  while (performance.now() < untilMs) {
    if (!(await lives())) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  signalGroup(pid, 'SIGKILL');
}
