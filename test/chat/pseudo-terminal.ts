// A program at a real pseudo terminal of the system, made by Python, which most machines have: Node makes none without a
// native module. What the program writes is read by an emulated screen.

import { spawn, spawnSync } from 'node:child_process';
import { createScreenReader, type ScreenReader } from './screen-reader.ts';

const columns = 72;
const rows = 24;

// Prints at the end how the program ended, and whether the terminal edits lines and echoes again.
const script = `
import fcntl, os, pty, select, signal, struct, sys, termios
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ${rows}, ${columns}, 0, 0))
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for target in (0, 1, 2): os.dup2(slave, target)
    os.execvp(sys.argv[1], sys.argv[1:])
sources = [0, master]
while True:
    ready = select.select(sources, [], [], 0.05)[0]
    if 0 in ready:
        data = os.read(0, 65536)
        if data: os.write(master, data)
        else:
            sources.remove(0)
            os.kill(pid, signal.SIGHUP)
    if master in ready:
        os.write(1, os.read(master, 65536))
        continue
    ended, status = os.waitpid(pid, os.WNOHANG)
    if ended == pid: break
mode = termios.tcgetattr(slave)[3]
sane = bool(mode & termios.ICANON) and bool(mode & termios.ECHO)
sys.stderr.write("%d %s" % (os.waitstatus_to_exitcode(status), sane))
`;

/** Why there is none; `null`: there is one. */
export const withoutPseudoTerminal: string | null =
  process.platform === 'win32' || spawnSync('python3', ['-c', 'import pty, fcntl, termios']).status !== 0
    ? 'python3 with pty is not here'
    : null;

export interface PseudoTerminal extends Pick<ScreenReader, 'screen' | 'all' | 'until'> {
  readonly pid: number;
  type(text: string): void;
  /** How the program ended, and whether the terminal was given back as it was. */
  readonly ended: Promise<{ readonly code: number; readonly isSane: boolean }>;
  /** The line is cut. */
  hangUp(): void;
}

export function openPseudoTerminal(command: readonly string[], env: NodeJS.ProcessEnv, cwd: string): PseudoTerminal {
  const reader = createScreenReader(columns, rows);
  const child = spawn('python3', ['-c', script, ...command], { cwd, env: { ...env, TERM: 'xterm-256color' } });
  let told = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => reader.write(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (told += text));
  return {
    ...reader,
    pid: child.pid ?? 0,
    type: (text) => void child.stdin.write(text),
    hangUp: () => void child.stdin.end(),
    ended: new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', () => {
        const [code = '', isSane = ''] = told.trim().split(' ');
        resolve({ code: Number(code), isSane: isSane === 'True' });
      });
    }),
  };
}
