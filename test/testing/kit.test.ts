// The kit as a team has it: the example of this repository, as it stands there and is documented, and a project of its
// own that has Candor among its modules. Both run by Node's own runner, in processes of their own.

import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Run {
  readonly passed: number;
  readonly failed: number;
  readonly output: string;
}

function runTests(cwd: string, files: readonly string[], env: NodeJS.ProcessEnv): Promise<Run> {
  const args = ['--import', 'tsx', '--test', '--test-reporter=tap', ...files];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd, env, maxBuffer: 1 << 26, timeout: 280_000 }, (_error, stdout, stderr) => {
      const count = (what: string): number => Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(stdout)?.[1] ?? -1);
      resolve({ passed: count('pass'), failed: count('fail'), output: `${stdout}\n${stderr}` });
    });
  });
}

/** The environment of a team: it does not know the servers of this run. */
const teamEnv = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('CANDOR_TEST_') && name !== 'NODE_OPTIONS'),
  );
const runEnv = (): NodeJS.ProcessEnv => {
  const { NODE_OPTIONS: _jest, ...env } = process.env;
  return env;
};

describe('the example of the documentation', () => {
  test('passes with servers of its own', async () => {
    const files = ['librarian.test.ts', 'librarian-patience.test.ts'].map((name) => `examples/agent-tests/${name}`);
    const { passed, failed, output } = await runTests(root, files, teamEnv());
    expect({ passed, failed, output: failed === 0 ? '' : output }).toEqual({ passed: 7, failed: 0, output: '' });
  }, 300_000);
});

describe('a project that has Candor among its modules', () => {
  let project: string;
  beforeEach(async () => {
    project = await mkdtemp(join(tmpdir(), 'candor-team-'));
    await mkdir(join(project, 'node_modules'));
    await symlink(join(root, 'node_modules/tsx'), join(project, 'node_modules/tsx'));
    await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'team', private: true, type: 'module' }));
    await mkdir(join(project, 'agents'));
    await writeFile(
      join(project, 'agents/porter.md'),
      '---\nid: porter\nname: Porter\ndescription: Knows the doors.\n---\n\nYou are the porter of a small hotel.\n',
    );
    await writeFile(join(project, 'porter.test.ts'), porterTest);
  });
  afterEach(() => rm(project, { recursive: true, force: true }));

  test('tests an agent of its own when Candor is linked', async () => {
    await symlink(root, join(project, 'node_modules/candor'));
    const { passed, failed, output } = await runTests(project, ['porter.test.ts'], runEnv());
    expect({ passed, failed, output: failed === 0 ? '' : output }).toEqual({ passed: 2, failed: 0, output: '' });
  }, 300_000);

  test('tests an agent of its own when Candor was copied there, as an installation does', async () => {
    const candor = join(project, 'node_modules/candor');
    await mkdir(candor);
    for (const name of ['src', 'testing', 'package.json']) {
      await cp(join(root, name), join(candor, name), { recursive: true });
    }
    await symlink(join(root, 'node_modules'), join(candor, 'node_modules'));
    // A bundle of its own: the workflows lie among the modules here.
    const env = { ...runEnv(), CANDOR_TEST_BUNDLE_DIR: join(project, 'bundle') };
    const { passed, failed, output } = await runTests(project, ['porter.test.ts'], env);
    expect({ passed, failed, output: failed === 0 ? '' : output }).toEqual({ passed: 2, failed: 0, output: '' });
  }, 300_000);
});

const porterTest = `
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, createTestCandor, createTurnRig, failing, loadAgent, outcomeOf, startTestServers } from 'candor/testing';

test('the porter answers as the porter', async () => {
  const servers = await startTestServers();
  const candor = await createTestCandor({ servers, agentsDir: 'agents', agentId: 'porter' });
  try {
    candor.upstream.chat.enqueue(answer(['At ', 'ten.']));
    const turn = await candor.say('When is the door locked?');
    const { text, check } = await turn.end();
    assert.equal(text, 'At ten.');
    assert.deepEqual(check.violations, []);
    assert.match(turn.calls[0].body.messages[0].content, /porter of a small hotel/);
    assert.equal((await turn.audit()).verdict, 'accepted');
  } finally {
    await candor.close();
    await servers.stop();
  }
});

test('the porter is asked four times', async () => {
  const rig = await createTurnRig();
  try {
    const model = failing(Array(9).fill('llm_timeout'));
    const { attempts, error } = await outcomeOf(await rig.start({ agent: await loadAgent('agents', 'porter'), model }));
    assert.equal(attempts.length, 4);
    assert.equal(error.code, 'llm_timeout');
  } finally {
    await rig.close();
  }
});
`;
