// Where two JSON values differ, as a path a person can follow.

import { isObject } from './json.ts';

export interface Difference {
  /** `attempts[0].usage.promptTokens`; empty for the whole value. */
  readonly field: string;
  /** `undefined`: not there. */
  readonly found: unknown;
  readonly wanted: unknown;
}

/** The first difference in the order of the names; `null` when the values are equal. */
export function findDifference(found: unknown, wanted: unknown, field = ''): Difference | null {
  if (Array.isArray(found) && Array.isArray(wanted)) {
    const length = Math.max(found.length, wanted.length);
    return first(Array.from({ length }, (_, at) => findDifference(found[at], wanted[at], `${field}[${at}]`)));
  }
  if (isObject(found) && isObject(wanted)) {
    const names = [...new Set([...Object.keys(wanted), ...Object.keys(found)])].sort();
    const at = (name: string): string => (field === '' ? name : `${field}.${name}`);
    return first(names.map((name) => findDifference(valueOf(found, name), valueOf(wanted, name), at(name))));
  }
  return Object.is(found, wanted) ? null : { field, found, wanted };
}

const valueOf = (object: Readonly<Record<string, unknown>>, name: string): unknown =>
  Object.hasOwn(object, name) ? object[name] : undefined;

const first = (differences: readonly (Difference | null)[]): Difference | null =>
  differences.find((difference) => difference !== null) ?? null;
