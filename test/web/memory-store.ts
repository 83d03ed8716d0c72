// The browser's Storage in memory; two instances over one map are two tabs.

import type { KeyValueStore } from '../../src/client/index.ts';

export function createMemoryStore(entries = new Map<string, string>()): KeyValueStore {
  return {
    get length() {
      return entries.size;
    },
    key: (index) => [...entries.keys()][index] ?? null,
    getItem: (key) => entries.get(key) ?? null,
    setItem: (key, value) => void entries.set(key, value),
    removeItem: (key) => void entries.delete(key),
  };
}
