/**
 * The record of running children, for the next start: one that was killed could not end them. Written before anybody
 * relies on a child; readable by its owner only.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { hasCode } from './thrown.ts';

export interface ChildRecord {
  readonly name: string;
  readonly pid: number;
  /** As `readStartTime` gives it. */
  readonly startTime: string;
}

/** An empty list when there is no record. A record that cannot be parsed is an error: it may name running children. */
export function readChildren(path: string): readonly ChildRecord[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
  const records: unknown = JSON.parse(text);
  if (!Array.isArray(records) || !records.every(isRecord)) {
    throw new Error(`unable to read ${path}; it is no list of children; end what still runs and delete it`);
  }
  return records;
}

/** Whole or not at all; no children means no file. */
export function writeChildren(path: string, records: readonly ChildRecord[]): void {
  if (records.length === 0) {
    rmSync(path, { force: true });
    return;
  }
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(records, null, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, path);
}

function isRecord(value: unknown): value is ChildRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Partial<Record<keyof ChildRecord, unknown>>;
  return typeof record.name === 'string' && Number.isInteger(record.pid) && typeof record.startTime === 'string';
}
