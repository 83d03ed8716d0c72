import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'smol-toml';
import { listSettings } from '../../src/config/settings.ts';
import { ConfigError, loadConfig, maskSecret, parseConfig, toPrintable } from '../../src/config.ts';

const path = '/srv/candor/candor.toml';
const withEnv = (env: Record<string, string>, toml: string | null = null) => parseConfig(env, toml, path);

const problemsOf = (env: Record<string, string>, toml: string | null = null): readonly string[] => {
  try {
    withEnv(env, toml);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

describe('the configuration', () => {
  test('has defaults for what nobody set', () => {
    expect(withEnv({})).toEqual({
      gateway: { port: null, host: '127.0.0.1', allowedOrigins: [] },
      worker: { healthPort: null, lineHost: '127.0.0.1', drainSeconds: 10 },
      temporal: { address: null, namespace: 'default', taskQueue: 'candor', uiUrl: null, port: null, uiPort: null },
      neo4j: { uri: null, user: 'neo4j', password: null, port: null },
      model: { baseUrl: null, apiKey: null, name: null, port: null, file: null },
      audit: { baseUrl: null, apiKey: null, name: null },
      receipts: { keyFile: null },
      live: { redisUrl: null },
      tiers: {
        ...{ freeExtraAttempts: 0, earlyExtraAttempts: 0, midExtraAttempts: 0, enterpriseExtraAttempts: 0 },
        ...{ freeSupport: null, earlySupport: null, midSupport: null, enterpriseSupport: null },
      },
      paths: {
        data: '/srv/candor/.candor',
        agents: '/srv/candor/agents',
        knowledge: '/srv/candor/knowledge',
        cache: null,
      },
      log: { level: 'info' },
      auth: { jwtSecret: null, jwksUrl: null, jwtIssuer: null, jwtAudience: null },
      sources: {},
    });
  });

  test('takes the variable before the file, and the file before the default', () => {
    const toml = '[gateway]\nport = 4000\nhost = "::1"\n[temporal]\nnamespace = "work"\n';
    const config = withEnv({ PORT: '5000' }, toml);
    expect(config.gateway).toMatchObject({ port: 5_000, host: '::1' });
    expect(config.temporal.namespace).toBe('work');
    expect(config.sources).toEqual({
      'gateway.port': 'PORT',
      'gateway.host': 'candor.toml',
      'temporal.namespace': 'candor.toml',
    });
  });

  test('every setting can be set by its variable, each variable sets one', () => {
    const all = listSettings();
    expect(new Set(all.map(({ setting }) => setting.variable)).size).toBe(all.length);
    const fitting = (variable: string): string => {
      if (variable.endsWith('_PORT') || variable === 'PORT') return '1234';
      if (variable === 'NEO4J_URI') return 'neo4j+s://graph.example.com';
      if (variable === 'REDIS_URL') return 'redis://cache.example.com:6379';
      if (variable === 'TEMPORAL_ADDRESS') return 'temporal.example.com:7233';
      if (variable === 'CANDOR_LOG_LEVEL') return 'debug';
      if (variable === 'CANDOR_WORKER_LINE_HOST') return 'off';
      if (variable.endsWith('_SECONDS')) return '30';
      if (variable.endsWith('_ATTEMPTS')) return '2';
      if (/URL$|ORIGINS$/.test(variable)) return 'https://example.com';
      return '/some/text';
    };
    const env = Object.fromEntries(all.map(({ setting: { variable } }) => [variable, fitting(variable)]));
    const { sources } = withEnv(env);
    expect(sources).toEqual(
      Object.fromEntries(all.map(({ section, key, setting }) => [`${section}.${key}`, setting.variable])),
    );
  });

  test('a tier may add tries, and never take any away', () => {
    expect(withEnv({ CANDOR_TIER_FREE_EXTRA_ATTEMPTS: '20' }).tiers.freeExtraAttempts).toBe(20);
    for (const value of ['-1', '21', '1.5', 'many']) {
      expect(problemsOf({ CANDOR_TIER_FREE_EXTRA_ATTEMPTS: value })).toEqual([
        'CANDOR_TIER_FREE_EXTRA_ATTEMPTS must be a whole number from 0 to 20',
      ]);
    }
    expect(problemsOf({}, '[tiers]\nmidExtraAttempts = -2\n')).toEqual([
      `${path} line 2: tiers.midExtraAttempts must be a whole number from 0 to 20`,
    ]);
  });

  test('a worker’s line can be switched off', () => {
    expect(withEnv({ CANDOR_WORKER_LINE_HOST: 'off' }).worker.lineHost).toBeNull();
    expect(withEnv({}, '[worker]\nlineHost = "0.0.0.0"\ndrainSeconds = 0').worker).toMatchObject({
      lineHost: '0.0.0.0',
      drainSeconds: 0,
    });
  });

  test.each(['', 'unset'])('counts «%s» as not set', (nothing) => {
    const config = withEnv({ OPENAI_BASE_URL: nothing, OPENAI_API_KEY: nothing, NEO4J_URI: nothing, PORT: nothing });
    expect([config.model.baseUrl, config.model.apiKey, config.neo4j.uri, config.gateway.port]).toEqual(
      Array(4).fill(null),
    );
    expect(withEnv({ OPENAI_MODEL: nothing }, '[model]\nname = "from-the-file"').model.name).toBe('from-the-file');
    expect(withEnv({}, `[model]\nname = "${nothing}"`).model.name).toBeNull();
  });

  test('reads lists from both, and addresses without the slash at their end', () => {
    expect(
      withEnv({ CANDOR_ALLOWED_ORIGINS: 'https://a.example, http://b.example:81/' }).gateway.allowedOrigins,
    ).toEqual(['https://a.example', 'http://b.example:81']);
    expect(withEnv({}, '[gateway]\nallowedOrigins = ["https://a.example"]').gateway.allowedOrigins).toHaveLength(1);
    expect(withEnv({ OPENAI_BASE_URL: 'http://127.0.0.1:11434/v1/' }).model.baseUrl).toBe('http://127.0.0.1:11434/v1');
    expect(withEnv({ CANDOR_DATA_DIR: 'state', MODEL_FILE: '/m.gguf' })).toMatchObject({
      paths: { data: '/srv/candor/state' },
      model: { file: '/m.gguf' },
    });
  });
});

describe('a configuration that cannot be read', () => {
  test.each([
    ['TOML that is broken', '[gateway]\nport = \n', /^\/srv\/candor\/candor\.toml line 2, column \d+: /],
    ['an unknown key', '[gateway]\nport = 1\nprot = 2', `${path} line 3: unknown key «gateway.prot»`],
    ['an unknown section', '\n[gatway]\nport = 1', `${path} line 2: unknown key «gatway»`],
    ['a key outside of any section', 'port = 1', `${path} line 1: unknown key «port»`],
    ['a section that is a value', 'gateway = 1', `${path} line 1: gateway must be a table, written [gateway]`],
    ['a port that is a text', '[gateway]\n\nport = "x"', `${path} line 3: gateway.port must be a port`],
    ['a text that is a number', '[model]\nname = 4', `${path} line 2: model.name must be a text`],
    ['a dotted key', 'gateway.port = -1', `${path} line 1: gateway.port must be a port`],
    ['an inline table', 'gateway = { port = 1.5 }', `${path} line 1: gateway.port must be a port`],
    ['a wrong origin', '[gateway]\nallowedOrigins = ["x"]', `${path} line 2: gateway.allowedOrigins must be a list`],
  ])('names the line of %s', (_, toml, problem) => {
    const [first, ...more] = problemsOf({}, toml);
    expect(more).toEqual([]);
    if (typeof problem === 'string') expect(first).toContain(problem);
    else expect(first).toMatch(problem);
  });

  test.each([
    ['PORT', '70000', 'PORT must be a port, a whole number from 0 to 65535'],
    ['PORT', '3e3', 'PORT must be a port'],
    ['TEMPORAL_ADDRESS', 'http://x:1', 'TEMPORAL_ADDRESS must be host:port'],
    ['NEO4J_URI', 'http://x', 'NEO4J_URI must be an address that begins with bolt://'],
    ['OPENAI_BASE_URL', 'localhost:11434', 'OPENAI_BASE_URL must be an address that begins with http:// or https://'],
    ['CANDOR_LOG_LEVEL', 'loud', 'CANDOR_LOG_LEVEL must be one of fatal, error'],
    ['CANDOR_WORKER_LINE_HOST', 'a b', 'CANDOR_WORKER_LINE_HOST must be an address of this machine, or off'],
    ['CANDOR_WORKER_DRAIN_SECONDS', '1.5', 'CANDOR_WORKER_DRAIN_SECONDS must be a whole number of seconds'],
  ])('names the variable %s with «%s»', (variable, value, problem) => {
    const [first] = problemsOf({ [variable]: value });
    expect(first).toContain(problem);
  });

  test('tells all problems at once', () => {
    const problems = problemsOf({ PORT: 'x', NEO4J_URI: 'y' }, '[log]\nlevel = "loud"\nfoo = 1');
    expect(problems).toHaveLength(4);
  });

  test('shows no secret that stands near the error', () => {
    const [first] = problemsOf({}, '[model]\napiKey = "sk-very-secret"\nport = = 1');
    expect(first).toContain('line 3');
    expect(first).not.toContain('sk-very-secret');
  });
});

describe('the file', () => {
  test('is read from the folder of the command, and need not be there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'candor-config-'));
    expect(loadConfig({}, folder).gateway.port).toBeNull();
    await writeFile(join(folder, 'candor.toml'), '[gateway]\nport = 4000\n');
    expect(loadConfig({}, folder)).toMatchObject({
      gateway: { port: 4_000 },
      paths: { agents: join(folder, 'agents') },
    });
    await rm(folder, { recursive: true });
  });

  test('has an example that names every key, its variable, and nothing else', async () => {
    const example = await readFile('candor.example.toml', 'utf8');
    const active = example.replace(/^# (?=\w+ = )/gm, '');
    const named = Object.entries(parse(active)).flatMap(([section, keys]) =>
      Object.keys(keys as object).map((key) => `${section}.${key}`),
    );
    expect(named).toEqual(listSettings().map(({ section, key }) => `${section}.${key}`));
    const variables = [...example.matchAll(/^# ([A-Z][A-Z0-9_]+)(?::|$)/gm)].map((match) => match[1]);
    expect(variables).toEqual(listSettings().map(({ setting }) => setting.variable));
    expect(problemsOf({}, active)).toEqual([]);
    expect(parseConfig({}, example, path)).toEqual(parseConfig({}, null, path));
  });
});

describe('the configuration as it is shown', () => {
  test.each([
    ['sk-1234567890wxyz', 'sk-1…wxyz'],
    ['123456789', '1234…6789'],
    ['12345678', '***'],
    ['', '***'],
  ])('masks «%s»', (secret, masked) => {
    expect(maskSecret(secret)).toBe(masked);
  });

  test('gives each value with its source, and no secret', () => {
    const secrets = {
      OPENAI_API_KEY: 'sk-1234567890wxyz',
      NEO4J_PASSWORD: 'hunter2-hunter2',
      CANDOR_JWT_SECRET: 'short',
      REDIS_URL: 'redis://me:pass-word@127.0.0.1:6379',
    };
    const rows = toPrintable(withEnv(secrets, '[gateway]\nport = 4000'));
    expect(rows).toHaveLength(listSettings().length);
    const shown = JSON.stringify(rows);
    for (const secret of ['1234567890', 'hunter2-h', 'short', 'pass-word']) expect(shown).not.toContain(secret);
    expect(rows).toContainEqual({ name: 'gateway.port', variable: 'PORT', value: '4000', source: 'candor.toml' });
    expect(rows).toContainEqual({ name: 'neo4j.uri', variable: 'NEO4J_URI', value: 'not set', source: 'default' });
    expect(rows).toContainEqual({
      name: 'live.redisUrl',
      variable: 'REDIS_URL',
      value: 'redis://***@127.0.0.1:6379',
      source: 'REDIS_URL',
    });
  });
});
