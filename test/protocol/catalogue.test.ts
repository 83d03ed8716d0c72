// Catalogue = documentation = codes that are really thrown, both ways: a code that nobody makes is reserved and said to
// be, a code that somebody makes is in the catalogue and not reserved, and whoever makes one fills its sentence.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { errorCatalogue, isErrorCode } from '../../src/protocol/errors.ts';
import { findMadeErrors } from './made-errors.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const codes = Object.keys(errorCatalogue).filter(isErrorCode);
const made = await findMadeErrors(isErrorCode);

/** The one list of codes that belong to parts to come. */
const reserved = [
  ...(/^Reserved for parts to come, never sent yet: (.*)$/m.exec(read('PROTOCOL.md'))?.[1] ?? '').matchAll(/`(\w+)`/g),
].map(([, code = '']) => code);

describe('the codes of the catalogue', () => {
  test('are all made somewhere, but for those that PROTOCOL.md calls reserved', () => {
    const known = new Set(made.map(({ code }) => code));
    expect(codes.filter((code) => !known.has(code))).toEqual(reserved);
  });

  test('are all that is made', () => {
    expect(made.filter(({ code }) => !isErrorCode(code))).toEqual([]);
  });

  test('have each of their sentences filled where they are made (C20)', () => {
    const holes = made.flatMap(({ code, where, facts }) => {
      if (facts === null || !isErrorCode(code)) return [];
      const named = [...errorCatalogue[code].sentence.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
      const missing = named.filter((name) => !facts.includes(name));
      return missing.length === 0 ? [] : [`${where} makes ${code} without ${missing.join(', ')}`];
    });
    expect(holes).toEqual([]);
  });

  test('are found by a search that finds what it is for', () => {
    expect(made.length).toBeGreaterThan(60);
    const unread = made.filter(({ facts }) => facts === null).map(({ code, where }) => `${code} ${where}`);
    expect(unread).toEqual([]);
  });
});

describe('docs/errors.md', () => {
  const rows = [...read('docs/errors.md').matchAll(/^\| `(\w+)` \| (.+) \| (.+) \|$/gm)].map(
    ([, code, sentence, recovery]) => ({ code, sentence, recovery }),
  );

  test('says of every code what the user reads and what the operator does', () => {
    expect(rows).toEqual(
      codes.map((code) => {
        const { sentence, recovery } = errorCatalogue[code];
        return { code, sentence, recovery };
      }),
    );
  });
});
