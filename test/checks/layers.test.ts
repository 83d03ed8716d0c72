// Every layer rule catches a violation of it: a small project is planted in which each row breaks one rule, and
// dependency-cruiser judges it by the rules of this one.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const require = createRequire(import.meta.url);
const config = require.resolve('../../.dependency-cruiser.cjs');
const cruiser = fileURLToPath(new URL('../../node_modules/.bin/depcruise', import.meta.url));
const rules = (require(config) as { forbidden: readonly { name: string; comment?: string }[] }).forbidden;

/** Rule, the module that breaks it, what it imports. */
const planted: readonly (readonly [rule: string, from: string, to: string])[] = [
  ['no-cycles', 'src/live/cycle.ts', './memory.ts'],
  ['no-orphans', 'src/llm/orphan.ts', ''],
  ['no-unresolved', 'src/llm/unresolved.ts', './nowhere.ts'],
  ['no-dev-deps-in-src', 'src/llm/dev.ts', 'vite'],
  ['protocol-is-pure', 'src/protocol/impure.ts', 'node:fs'],
  ['zod-only-in-schema', 'src/protocol/validates.ts', 'zod'],
  ['workflow-sees-only-protocol', 'src/workflows/peeks.ts', '../activities/index.ts'],
  ['workflow-not-to-schema', 'src/workflows/validates.ts', '../protocol/schema.ts'],
  ['activities-see-only-protocol', 'src/activities/asks.ts', '../graph/neo4j.ts'],
  ['api-not-to-engine', 'src/api/asks.ts', '../graph/neo4j.ts'],
  ['llm-alone', 'src/llm/asks.ts', '../graph/neo4j.ts'],
  ['graph-alone', 'src/graph/asks.ts', '../llm/openai.ts'],
  ['live-alone', 'src/live/asks.ts', '../graph/neo4j.ts'],
  ['metrics-sees-ports', 'src/metrics/looks.ts', '../live/memory.ts'],
  ['worker-line-alone', 'src/worker-line/asks.ts', '../live/memory.ts'],
  ['agents-alone', 'src/agents/asks.ts', '../activities/index.ts'],
  ['knowledge-alone', 'src/knowledge/asks.ts', '../graph/neo4j.ts'],
  ['receipts-alone', 'src/receipts/asks.ts', '../graph/neo4j.ts'],
  ['files-alone', 'src/files/asks.ts', '../protocol/events.ts'],
  ['parts-alone', 'src/parts/asks.ts', '../protocol/events.ts'],
  ['config-alone', 'src/config/asks.ts', '../parts/index.ts'],
  ['config-only-to-roots', 'src/graph/configured.ts', '../config.ts'],
  ['client-sees-only-protocol', 'src/client/asks.ts', 'node:fs'],
  ['client-by-its-door', 'testing/by-window.ts', '../src/client/connection.ts'],
  ['chat-sees-only-protocol-and-client', 'src/chat/asks.ts', '../live/memory.ts'],
  ['chat-by-its-door', 'src/run/by-the-window.ts', '../chat/rest.ts'],
  ['web-sees-only-protocol-and-client', 'web/src/asks.ts', '../../src/live/memory.ts'],
  ['web-not-to-schema', 'web/src/validates.ts', '../../src/protocol/schema.ts'],
  ['src-not-to-test', 'src/llm/fakes.ts', '../../test/upstream.ts'],
  ['testing-builds-as-a-root-does', 'testing/peeks.ts', '../src/graph/neo4j.ts'],
  ['kit-by-its-door', 'examples/by-window.ts', '../src/run/candor.ts'],
  ['roots-are-leaves', 'src/api/starts.ts', '../run/candor.ts'],
  ['cli-is-last', 'src/run/commands.ts', '../cli.ts'],
  ['parts-by-their-door', 'src/run/by-window.ts', '../parts/ports.ts'],
  ['vendor-openai', 'src/activities/calls.ts', 'openai'],
  ['vendor-neo4j', 'src/api/queries.ts', 'neo4j-driver'],
  ['vendor-temporal-client', 'src/api/starts-turns.ts', '@temporalio/client'],
  ['vendor-temporal-worker', 'src/activities/works.ts', '@temporalio/worker'],
  ['vendor-temporal-elsewhere', 'src/graph/works.ts', '@temporalio/activity'],
  ['vendor-fastify', 'src/live/serves.ts', 'fastify'],
  ['vendor-ioredis', 'src/api/caches.ts', 'ioredis'],
  ['vendor-prom-client', 'src/api/counts.ts', 'prom-client'],
  ['vendor-jose', 'src/api/signs.ts', 'jose'],
  ['llama-is-no-dependency', 'src/parts/loads.ts', 'node-llama-cpp'],
];

/** What the planted modules import. */
const sound = [
  ...[
    'activities/index',
    'chat/rest',
    'client/connection',
    'graph/neo4j',
    'live/memory',
    'llm/openai',
    'protocol/events',
    'protocol/schema',
  ],
  ...['run/candor', 'parts/index', 'parts/ports', 'config', 'cli'],
].map((name) => `src/${name}.ts`);
const packages = [
  'zod',
  'openai',
  'neo4j-driver',
  'fastify',
  'ioredis',
  'jose',
  'prom-client',
  'node-llama-cpp',
  'vite',
].concat(['client', 'worker', 'activity', 'workflow'].map((name) => `@temporalio/${name}`));

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}
let root: string;
let violations: readonly Violation[];

async function write(path: string, text: string): Promise<void> {
  await mkdir(join(root, dirname(path)), { recursive: true });
  await writeFile(join(root, path), text);
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'candor-layers-'));
  const versions = Object.fromEntries(packages.map((name) => [name, '1.0.0']));
  const { vite, ...dependencies } = versions;
  await write('package.json', JSON.stringify({ type: 'module', dependencies, devDependencies: { vite } }));
  await write('tsconfig.base.json', '{}');
  for (const name of packages) {
    await write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
    await write(`node_modules/${name}/index.js`, '');
  }
  for (const path of sound) await write(path, 'export const it = 1;\n');
  await write('test/upstream.ts', 'export const it = 1;\n');
  await write('src/live/memory.ts', "import './cycle.ts';\n");
  for (const [, from, to] of planted) await write(from, to === '' ? 'export {};\n' : `import '${to}';\n`);

  const args = [cruiser, '--config', config, '--output-type', 'json', 'src', 'web', 'test', 'testing', 'examples'];
  const output = await new Promise<string>((resolve, reject) => {
    // It ends with the number of violations; without a report it failed.
    execFile(process.execPath, args, { cwd: root, maxBuffer: 1 << 26 }, (error, stdout) =>
      stdout === '' ? reject(error ?? new Error('no report')) : resolve(stdout),
    );
  });
  violations = (JSON.parse(output) as { summary: { violations: readonly Violation[] } }).summary.violations;
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('the layer rules', () => {
  test.each(planted)('%s catches %s, which imports «%s»', (rule, from) => {
    expect(violations.filter((v) => v.from === from).map((v) => v.rule.name)).toContain(rule);
  });

  test('each has a case here and says why it is there', () => {
    expect(rules.map(({ name }) => name).sort()).toEqual(planted.map(([rule]) => rule).sort());
    expect(rules.filter(({ comment = '' }) => comment.length < 20)).toEqual([]);
  });

  test('let sound modules pass', () => {
    const unsound = planted.map(([, from]) => from);
    expect(violations.filter(({ from }) => !unsound.includes(from))).toEqual([]);
  });
});
