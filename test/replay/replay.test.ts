// Turns that are open while a new version is deployed go on with the new code: every recorded history has to lead it
// the same way. A change that cannot do so needs `patched`; the last test shows that such a change is found.

import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { DeterminismViolationError } from '@temporalio/workflow';
import { bundleWorkflowCode, DefaultLogger, Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { createLog, installRuntime } from '../../src/run/log.ts';
import { fromRecordedJson } from './recorded-json.ts';
import { loadWorkflowBundle } from '../../src/run/workflow-bundle.ts';

const folder = fileURLToPath(new URL('histories/', import.meta.url));
const files = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
const read = async (name: string) => fromRecordedJson(await readFile(`${folder}${name}`, 'utf8'));

let workflowBundle: WorkflowBundleWithSourceMap;
beforeAll(async () => {
  installRuntime(createLog('fatal', null));
  workflowBundle = await loadWorkflowBundle(process.env['CANDOR_TEST_BUNDLE_DIR'] ?? null);
});

describe('the workflows of today', () => {
  test('have histories of both workflows to go through', () => {
    expect(files.filter((name) => name.startsWith('chat-turn-')).length).toBeGreaterThanOrEqual(10);
    expect(files.filter((name) => name.startsWith('audit-')).length).toBeGreaterThanOrEqual(2);
  });

  test.each(files)('replay %s', async (name) => {
    await Worker.runReplayHistory({ workflowBundle }, await read(name));
  });
});

test('a changed workflow without a patch does not replay', async () => {
  const workflowsPath = fileURLToPath(new URL('changed/index.ts', import.meta.url));
  const changed = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
  await expect(
    Worker.runReplayHistory({ workflowBundle: changed }, await read('chat-turn-completed.json')),
  ).rejects.toThrow(DeterminismViolationError);
});
