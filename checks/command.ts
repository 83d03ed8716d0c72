// A step that is a command of node_modules. Its output is its problem, when it ends with anything but 0.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Step } from './step.ts';

/** @param command name in `node_modules/.bin` */
export const command = (root: string, name: string, command: string, ...args: string[]): Step => ({
  name,
  async run() {
    const child = spawn(join(root, 'node_modules', '.bin', command), args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', resolve);
    });
    const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    if (code === 0) return [];
    return [`${out}${err}`.trim() || `${command} ended with ${code}`];
  },
});
