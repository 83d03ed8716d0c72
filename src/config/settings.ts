// Every setting there is: section and key of candor.toml, the variable that overrides it, its kind and its default.
// candor.example.toml says in words what each means; a test holds the two together.

import { resolve } from 'node:path';
import { defaultTaskQueue } from '../protocol/turn.ts';
import {
  baseUrl,
  hostAndPort,
  lineHost,
  oneOf,
  origins,
  path,
  port,
  seconds,
  secret,
  text,
  url,
  whole,
  type Setting,
} from './setting.ts';

const bolt = ['bolt', 'bolt+s', 'bolt+ssc', 'neo4j', 'neo4j+s', 'neo4j+ssc'];

/** Tries that a tier may add to a model call. A tier may not take any away. */
const maxExtraAttempts = 20;

export const settings = {
  gateway: {
    port: port('PORT'),
    host: text('HOST', '127.0.0.1'),
    allowedOrigins: origins('CANDOR_ALLOWED_ORIGINS'),
  },
  worker: {
    healthPort: port('CANDOR_WORKER_HEALTH_PORT'),
    lineHost: lineHost('CANDOR_WORKER_LINE_HOST'),
    drainSeconds: seconds('CANDOR_WORKER_DRAIN_SECONDS', 10),
  },
  temporal: {
    address: hostAndPort('TEMPORAL_ADDRESS'),
    namespace: text('TEMPORAL_NAMESPACE', 'default'),
    taskQueue: text('TEMPORAL_TASK_QUEUE', defaultTaskQueue),
    uiUrl: baseUrl('TEMPORAL_UI_URL'),
    port: port('TEMPORAL_PORT'),
    uiPort: port('TEMPORAL_UI_PORT'),
  },
  neo4j: {
    uri: url('NEO4J_URI', bolt),
    user: text('NEO4J_USER', 'neo4j'),
    password: secret('NEO4J_PASSWORD'),
    port: port('NEO4J_PORT'),
  },
  model: {
    baseUrl: baseUrl('OPENAI_BASE_URL'),
    apiKey: secret('OPENAI_API_KEY'),
    name: text('OPENAI_MODEL', null),
    port: port('MODEL_PORT'),
    file: path('MODEL_FILE', null, resolve),
  },
  audit: {
    baseUrl: baseUrl('AUDIT_BASE_URL'),
    apiKey: secret('AUDIT_API_KEY'),
    name: text('AUDIT_MODEL', null),
  },
  receipts: {
    keyFile: path('CANDOR_RECEIPT_KEY_FILE', null, resolve),
  },
  live: {
    redisUrl: url('REDIS_URL', ['redis', 'rediss']),
  },
  tiers: {
    freeExtraAttempts: whole('CANDOR_TIER_FREE_EXTRA_ATTEMPTS', 0, [0, maxExtraAttempts]),
    freeSupport: text('CANDOR_TIER_FREE_SUPPORT', null),
    earlyExtraAttempts: whole('CANDOR_TIER_EARLY_EXTRA_ATTEMPTS', 0, [0, maxExtraAttempts]),
    earlySupport: text('CANDOR_TIER_EARLY_SUPPORT', null),
    midExtraAttempts: whole('CANDOR_TIER_MID_EXTRA_ATTEMPTS', 0, [0, maxExtraAttempts]),
    midSupport: text('CANDOR_TIER_MID_SUPPORT', null),
    enterpriseExtraAttempts: whole('CANDOR_TIER_ENTERPRISE_EXTRA_ATTEMPTS', 0, [0, maxExtraAttempts]),
    enterpriseSupport: text('CANDOR_TIER_ENTERPRISE_SUPPORT', null),
  },
  paths: {
    data: path('CANDOR_DATA_DIR', '.candor', resolve),
    agents: path('CANDOR_AGENTS_DIR', 'agents', resolve),
    knowledge: path('CANDOR_KNOWLEDGE_DIR', 'knowledge', resolve),
    cache: path('CANDOR_CACHE_DIR', null, resolve),
  },
  log: {
    level: oneOf('CANDOR_LOG_LEVEL', 'info', ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
  },
  auth: {
    jwtSecret: secret('CANDOR_JWT_SECRET'),
    jwksUrl: url('CANDOR_JWKS_URL', ['http', 'https']),
    jwtIssuer: text('CANDOR_JWT_ISSUER', null),
    jwtAudience: text('CANDOR_JWT_AUDIENCE', null),
  },
};

type Sections = typeof settings;
export type Values = {
  readonly [Section in keyof Sections]: {
    readonly [Key in keyof Sections[Section]]: Sections[Section][Key] extends Setting<infer Value> ? Value : never;
  };
};

export interface Config extends Values {
  /** By `section.key`: the variable or file that the value came from; absent for a default. */
  readonly sources: Readonly<Record<string, string>>;
}

export interface NamedSetting {
  readonly section: string;
  readonly key: string;
  readonly setting: Setting<unknown>;
}

/** In the order of the table. */
export function listSettings(): readonly NamedSetting[] {
  return Object.entries(settings).flatMap(([section, keys]) =>
    Object.entries(keys as Record<string, Setting<unknown>>).map(([key, setting]) => ({ section, key, setting })),
  );
}
