// The workflows must load in the sandbox: they bundle, stay small (a worker holds the bundle in memory once for each
// thread), and no validator came in by a side door.

import { loadWorkflowBundle } from '../src/run/workflow-bundle.ts';
import type { Step } from './step.ts';

const maxBytes = 2_000_000;

export function bundle(): Step {
  let bytes = 0;
  return {
    name: 'bundle',
    note: () => `${(bytes / 1_000_000).toFixed(2)} MB of ${maxBytes / 1_000_000} MB`,
    async run() {
      const { code } = await loadWorkflowBundle(null);
      bytes = Buffer.byteLength(code);
      return [
        ...(bytes > maxBytes ? [`the bundle has ${bytes} bytes, more than ${maxBytes}: look for a new import`] : []),
        ...(/node_modules\/zod\//.test(code) ? ['the bundle contains zod: import types of schema.ts only'] : []),
      ];
    },
  };
}
