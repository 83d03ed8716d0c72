/**
 * Reads a compose file and says what is wrong with it: first by the official schema, then by this project's own rules.
 * A function of text, so that a test can plant a fault in memory. The schema is the one of compose-spec that the linter
 * `dclint` carries: it stays current with that package, and no copy of it lies here to grow old.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { parse } from 'yaml';

type Service = {
  readonly image?: string;
  readonly restart?: string;
  readonly healthcheck?: {
    readonly test?: unknown;
    readonly disable?: boolean;
    readonly interval?: string;
    readonly timeout?: string;
    readonly start_period?: string;
  };
  readonly stop_grace_period?: string;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly ports?: readonly string[];
};

export type ComposeFile = {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes?: Readonly<Record<string, unknown>>;
};

/** `${NAME}`, `${NAME:-value}`, `${NAME:?sentence}`; `$$` is a dollar sign of the shell's. */
const interpolation = /(?<!\$)\$\{(?<name>[A-Za-z_]\w*)(?<operator>:?[-?+])?/g;

/** Three numbers; PostgreSQL's own whole version has two. */
const exactImage = /^(postgres:\d+\.\d+|[\w./-]+:\d+\.\d+\.\d+)(-[\w.-]+)?$/;

const duration = /^(\d+(ms|s|m|h))+$/;

/** @returns the names of all variables that the text takes from whoever starts it. */
export function toVariables(text: string): readonly string[] {
  const braced = [...text.matchAll(interpolation)].map((match) => match.groups?.['name'] ?? '');
  const handedThrough = [...text.matchAll(/^ +([A-Z][A-Z0-9_]+): *$/gm)].map((match) => match[1] ?? '');
  return [...new Set([...braced, ...handedThrough])].sort();
}

/** @returns a sentence for each fault; nothing when the file is sound. */
export function findFaults(text: string): readonly string[] {
  const file: unknown = parse(text, { merge: true });
  const validate = loadSchema();
  if (!validate(file)) {
    return (validate.errors ?? []).map((error) => `schema: ${error.instancePath} ${error.message ?? ''}`);
  }
  const { services } = file as ComposeFile;
  return [
    ...Object.entries(services).flatMap(([name, service]) => toServiceFaults(name, service, services)),
    ...toSecretFaults(text),
  ];
}

function toServiceFaults(name: string, service: Service, services: ComposeFile['services']): readonly string[] {
  const faults: string[] = [];
  if (!exactImage.test(service.image ?? '')) {
    faults.push(`${name}: the image ${service.image ?? '(none)'} is not pinned to an exact version`);
  }
  const isOneShot = service.restart?.startsWith('on-failure') ?? false;
  if (!isOneShot && (service.healthcheck?.test === undefined || service.healthcheck.disable === true)) {
    faults.push(`${name}: no health check`);
  }
  const { interval, timeout, start_period: startPeriod } = service.healthcheck ?? {};
  for (const span of [interval, timeout, startPeriod, service.stop_grace_period]) {
    // The schema takes any string here; the engine takes only this.
    if (span !== undefined && !duration.test(span)) faults.push(`${name}: ${span} is no duration`);
  }
  for (const [needed, { condition }] of Object.entries(service.depends_on ?? {})) {
    const isNeededOneShot = services[needed]?.restart?.startsWith('on-failure') ?? false;
    const expected = isNeededOneShot ? 'service_completed_successfully' : 'service_healthy';
    if (!(needed in services)) faults.push(`${name}: waits for ${needed}, which is no service`);
    else if (condition !== expected) faults.push(`${name}: waits for ${needed} by ${condition}, not ${expected}`);
  }
  for (const port of service.ports ?? []) {
    if (!port.startsWith('${CANDOR_PUBLISH_ADDRESS:-127.0.0.1}:')) faults.push(`${name}: publishes ${port} everywhere`);
  }
  return faults;
}

/** A secret with a default, or one that may be empty, is a password that everybody knows. */
function toSecretFaults(text: string): readonly string[] {
  return [...text.matchAll(interpolation)]
    .filter((match) => /SECRET|PASSWORD/.test(match.groups?.['name'] ?? '') && match.groups?.['operator'] !== ':?')
    .map((match) => `the secret ${match.groups?.['name'] ?? ''} is not demanded`);
}

function loadSchema(): ValidateFunction {
  const home = dirname(createRequire(import.meta.url).resolve('dclint/package.json'));
  const official = JSON.parse(readFileSync(join(home, 'schemas', 'compose.schema.json'), 'utf8')) as object;
  const ajv = new Ajv({ strict: false, allErrors: true });
  // The schema names its dialect with https, under which Ajv does not know draft-07.
  return ajv.compile({ ...official, $schema: 'http://json-schema.org/draft-07/schema#' });
}
