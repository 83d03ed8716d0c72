// The configuration, and the only reader of the environment. Variables go before candor.toml, that goes before the
// defaults; whatever cannot be read stops the start with every problem named, so that nothing runs on a value that
// nobody chose.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { SettingProblem } from './config/setting.ts';
import { listSettings, settings, type Config, type NamedSetting, type Values } from './config/settings.ts';
import { findLine } from './config/toml-lines.ts';

export type { Config } from './config/settings.ts';
export { maskSecret, toPrintable } from './config/printable.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const fileName = 'candor.toml';

/** Each problem names its variable, or its file and line. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(`unable to read the configuration; ${problems.join('; ')}`, options);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** Reads `candor.toml` in `cwd` when there is one. @throws ConfigError */
export function loadConfig(env: Environment = process.env, cwd: string = process.cwd()): Config {
  const tomlPath = join(cwd, fileName);
  return parseConfig(env, readIfThere(tomlPath), tomlPath);
}

/**
 * Pure. Relative paths count from the folder of `tomlPath`; an empty value and `unset` count as not set.
 * @param tomlText `null`: there is no file
 * @throws ConfigError with every problem
 */
export function parseConfig(env: Environment, tomlText: string | null, tomlPath: string): Config {
  const file = tomlText === null ? {} : parseToml(tomlText, tomlPath);
  const at = (path: readonly string[]): string => {
    const line = findLine(tomlText ?? '', path);
    return line === null ? tomlPath : `${tomlPath} line ${line}`;
  };
  const problems = unknownKeys(file, at);
  const sources: Record<string, string> = {};
  const values: Record<string, Record<string, unknown>> = {};
  const folder = dirname(tomlPath);

  for (const { section, key, setting } of listSettings()) {
    const named = toNamed(file, section, key);
    const fromEnv = env[setting.variable];
    const take = (): unknown => {
      if (isGiven(fromEnv)) {
        sources[`${section}.${key}`] = setting.variable;
        return setting.fromText(fromEnv, folder);
      }
      if (isGiven(named)) {
        sources[`${section}.${key}`] = fileName;
        return setting.fromToml(named, folder);
      }
      return toInitial({ section, key, setting }, folder);
    };
    try {
      (values[section] ??= {})[key] = take();
    } catch (error) {
      if (!(error instanceof SettingProblem)) throw error;
      const where = isGiven(fromEnv) ? setting.variable : `${at([section, key])}: ${section}.${key}`;
      problems.push(`${where} ${error.message}`);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  // Filled from the table that the type is made of.
  return { ...(values as unknown as Values), sources };
}

const isGiven = <Value>(value: Value): value is NonNullable<Value> =>
  value !== undefined && value !== null && value !== '' && value !== 'unset';

/** A default that is a path is as relative as one that is written. */
function toInitial({ setting }: NamedSetting, folder: string): unknown {
  return typeof setting.initial === 'string' ? setting.fromText(setting.initial, folder) : setting.initial;
}

function parseToml(text: string, path: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    // The parser's message goes on with the lines around the error, in which a secret may stand.
    const reason = cause.message.split('\n')[0] ?? 'it is no TOML';
    throw new ConfigError([`${path} line ${cause.line}, column ${cause.column}: ${reason}`]);
  }
}

function unknownKeys(file: Record<string, unknown>, at: (path: readonly string[]) => string): string[] {
  return Object.entries(file).flatMap(([section, keys]) => {
    const known = Object.hasOwn(settings, section) ? settings[section as keyof typeof settings] : null;
    if (known === null) return [`${at([section])}: unknown key «${section}»`];
    if (!isTable(keys)) return [`${at([section])}: ${section} must be a table, written [${section}]`];
    return Object.keys(keys)
      .filter((key) => !Object.hasOwn(known, key))
      .map((key) => `${at([section, key])}: unknown key «${section}.${key}»`);
  });
}

function toNamed(file: Record<string, unknown>, section: string, key: string): unknown {
  const keys = file[section];
  return isTable(keys) ? keys[key] : undefined;
}

const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw new ConfigError([`${path} cannot be read (${code})`], { cause });
  }
}
