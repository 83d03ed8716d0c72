// What a page pays for the client library: a few kilobytes, and nothing of anybody else.

import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import type { Step } from './step.ts';

const maxBytes = 12_000;
const entry = fileURLToPath(new URL('../src/client/index.ts', import.meta.url));

export function clientBundle(): Step {
  let bytes = 0;
  return {
    name: 'client bundle',
    note: () => `${(bytes / 1_000).toFixed(1)} kB of ${maxBytes / 1_000} kB, gzipped`,
    async run() {
      const built = await build({
        configFile: false,
        logLevel: 'silent',
        build: { write: false, target: 'es2023', minify: true, lib: { entry, formats: ['es'], fileName: 'client' } },
      });
      const outputs = Array.isArray(built) ? built : [];
      const chunks = outputs.flatMap(({ output }) => output).filter((part) => part.type === 'chunk');
      bytes = gzipSync(chunks.map(({ code }) => code).join('')).length;
      const foreign = chunks.flatMap(({ moduleIds, imports }) => [
        ...moduleIds.filter((id) => id.includes('node_modules')),
        ...imports,
      ]);
      return [
        ...(bytes > maxBytes ? [`the client has ${bytes} bytes, more than ${maxBytes}: look for a new import`] : []),
        ...foreign.map((id) => `the client takes ${id} along: it is to have no dependency`),
      ];
    },
  };
}
