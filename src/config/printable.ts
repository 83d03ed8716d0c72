// The configuration as it may be shown: each value, where it came from, and no secret.

import { listSettings, type Config } from './settings.ts';

export interface PrintableSetting {
  /** Section and key of candor.toml. */
  readonly name: string;
  readonly variable: string;
  /** Masked when it is a secret; `not set` when there is none. */
  readonly value: string;
  readonly source: string;
}

/** First four … last four characters; `***` for a secret of eight characters or fewer. */
export function maskSecret(secret: string): string {
  const characters = [...secret];
  if (characters.length <= 8) return '***';
  return `${characters.slice(0, 4).join('')}…${characters.slice(-4).join('')}`;
}

/** An address without the user and password that may stand in it. */
function maskUrl(address: string): string {
  return address.replace(/^([a-z+]+:\/\/)[^/]*@/i, '$1***@');
}

/** One row a setting, in the order of the table. */
export function toPrintable(config: Config): readonly PrintableSetting[] {
  return listSettings().map(({ section, key, setting }) => {
    const value = (config[section as keyof Config] as Readonly<Record<string, unknown>>)[key];
    const name = `${section}.${key}`;
    return {
      name,
      variable: setting.variable,
      value: toText(value, setting.isSecret),
      source: config.sources[name] ?? 'default',
    };
  });
}

function toText(value: unknown, isSecret: boolean): string {
  const text = Array.isArray(value) ? value.join(', ') : typeof value === 'number' ? `${value}` : value;
  if (typeof text !== 'string' || text === '') return 'not set';
  return isSecret ? maskSecret(text) : maskUrl(text);
}
