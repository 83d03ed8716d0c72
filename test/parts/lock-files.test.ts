/** A clean clone installs on every supported platform: the lock files hold each native package for each of them. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { llamaVersion } from '../../src/parts/llama.ts';
import { llamaNatives, toSlimLock, type LockFile } from '../../src/parts/llama-lock.ts';
import { platforms, type Platform } from '../../src/parts/platform.ts';

interface Package {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
interface Lock extends LockFile {
  readonly packages: Readonly<Record<string, Package>>;
}

function readLock(path: string): Lock {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as Lock;
}

/** Packages whose code runs only with one of their optional packages, and how many of those a platform needs. */
const owners = [
  ['@swc/core', /^@swc\/core-/],
  ['esbuild', /^@esbuild\//],
  ['rollup', /^@rollup\/rollup-/],
  ['rolldown', /^@rolldown\/binding-/],
  ['lightningcss', /^lightningcss-/],
  ['oxc-parser', /^@oxc-parser\/binding-/],
  ['oxc-resolver', /^@oxc-resolver\/binding-/],
  ['@unrs/resolver-binding', /^@unrs\/resolver-binding-/],
  ['unrs-resolver', /^@unrs\/resolver-binding-/],
] as const;
const main = readLock('../../package-lock.json');
const llama = readLock('../../src/parts/llama/package-lock.json');

function fits(entry: Package, platform: Platform): boolean {
  const [os, cpu] = platform.split('-');
  return (entry.os ?? []).includes(os ?? '') && (entry.cpu ?? []).includes(cpu ?? '');
}

describe('the main lock file', () => {
  const present = owners.filter(([owner]) => main.packages[`node_modules/${owner}`] !== undefined);

  test('knows the native packages in use', () => {
    expect(present.map(([owner]) => owner)).toEqual(expect.arrayContaining(['@swc/core', 'esbuild']));
  });

  test.each(present.flatMap(([owner, pattern]) => platforms.map((platform) => ({ owner, pattern, platform }))))(
    'holds the native package of $owner for $platform, optional and with its integrity',
    ({ pattern, platform }) => {
      const natives = Object.entries(main.packages).filter(
        ([path, entry]) => pattern.test(path.replace(/^.*node_modules\//, '')) && fits(entry, platform),
      );
      expect(natives.length).toBeGreaterThan(0);
      for (const [, entry] of natives) {
        expect(entry.optional).toBe(true);
        expect(entry.integrity).toMatch(/^sha512-/);
      }
    },
  );

  test('every package that is bound to a platform is optional', () => {
    const bound = Object.entries(main.packages).filter(
      ([, entry]) => entry.os !== undefined || entry.cpu !== undefined,
    );
    expect(bound.filter(([, entry]) => entry.optional !== true).map(([path]) => path)).toEqual([]);
  });

  test("Temporal's worker brings its builds for every platform inside one package", () => {
    expect(main.packages['node_modules/@temporalio/core-bridge']?.integrity).toMatch(/^sha512-/);
  });
});

describe('the lock file of the model library', () => {
  test('pins the version that the code names, and every package by its integrity', () => {
    expect(llama.packages['node_modules/node-llama-cpp']?.version).toBe(llamaVersion);
    const loose = Object.entries(llama.packages).filter(
      ([path, entry]) => path !== '' && entry.integrity === undefined,
    );
    expect(loose).toEqual([]);
  });

  test.each(platforms)('holds the native package for %s, and the slim one no other', (platform) => {
    const name = `node_modules/${llamaNatives[platform]}`;
    expect(llama.packages[name]).toMatchObject({
      version: llamaVersion,
      optional: true,
      integrity: expect.stringMatching(/^sha512-/),
    });
    expect(fits(llama.packages[name] ?? {}, platform)).toBe(true);
    const slim = toSlimLock(llama, platform);
    expect(Object.keys(slim.packages).filter((path) => path.includes('@node-llama-cpp/'))).toEqual([name]);
    expect(slim.packages['node_modules/node-llama-cpp']?.optionalDependencies).toEqual({
      [llamaNatives[platform]]: llamaVersion,
    });
  });
});

describe('both lock files', () => {
  test('name no address of a registry: packages come from where npm is told', () => {
    for (const lock of [main, llama]) {
      expect(Object.values(lock.packages).filter((entry) => entry.resolved !== undefined)).toEqual([]);
    }
  });
});
