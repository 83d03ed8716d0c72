// The built page: made when it is missing or older than its sources.

import { spawn } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StartError } from './start-error.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Folder of the built page. @param signal ends the building. @throws StartError when it cannot be built */
export async function ensurePage(signal?: AbortSignal): Promise<string> {
  const dist = join(root, 'web', 'dist');
  const built = await newest(dist);
  const own = await newest(join(root, 'web', 'src'));
  // A deployed image has the built page and no sources of it.
  if (own === 0 && built > 0) return dist;
  const shared = await Promise.all(['web/public', 'src/protocol'].map((folder) => newest(join(root, folder))));
  const files = await Promise.all(['web/index.html', 'web/vite.config.ts'].map((file) => stat(join(root, file))));
  if (built > Math.max(own, ...shared, ...files.map((file) => file.mtimeMs))) return dist;
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const child = spawn(process.execPath, [vite, 'build', 'web', '--logLevel', 'error'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(signal === undefined ? {} : { signal }),
  });
  let said = '';
  child.stderr.on('data', (data: Buffer) => (said += data.toString('utf8')));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  if (code !== 0)
    throw new StartError(
      `unable to build the page; ${said.trim().split('\n')[0] ?? 'vite gave no reason'}: run npm ci again`,
    );
  return dist;
}

/** Time of the newest file below; 0 when there is none. */
async function newest(folder: string): Promise<number> {
  try {
    const names = await readdir(folder, { recursive: true });
    const times = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).mtimeMs));
    return Math.max(0, ...times);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
