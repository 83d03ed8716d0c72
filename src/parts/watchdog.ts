/**
 * A shell that waits for our end and then ends a child's group: a killed start cannot do so itself. It reads from a pipe
 * whose other end dies with us, which works on every platform, however we die, and costs a megabyte.
 */
import { spawn } from 'node:child_process';
import { signalGroup } from './process-group.ts';

const script = `
read -r nothing
kill -s TERM -- "-$1" 2>/dev/null || exit 0
left=$2
while [ "$left" -gt 0 ] && kill -s 0 -- "-$1" 2>/dev/null; do sleep 1; left=$((left - 1)); done
kill -s KILL -- "-$1" 2>/dev/null
exit 0
`;

/** Watches for the end of this process; returns what calls it off. */
export function watchOverGroup(pid: number, graceMs: number): () => void {
  const shell = spawn('/bin/sh', ['-c', script, 'candor-watchdog', String(pid), String(Math.ceil(graceMs / 1000))], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Swallowed: without a shell the next start still ends the child, so that this is no reason to fail.
  shell.once('error', () => undefined);
  // Swallowed: a broken pipe here means that the watchdog itself was killed.
  shell.stdin.once('error', () => undefined);
  shell.unref();
  (shell.stdin as typeof shell.stdin & { unref(): void }).unref();
  return () => {
    if (shell.pid !== undefined && shell.exitCode === null && shell.signalCode === null)
      signalGroup(shell.pid, 'SIGKILL');
  };
}
