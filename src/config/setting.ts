// Kinds of settings: how a value is read from a variable (always text) and from the file (typed by TOML), and what is
// said when it cannot be. A value that is wrong is an error, never a default in its place.

export interface Setting<Value> {
  /** Environment variable that goes before the file. */
  readonly variable: string;
  /** Value when neither says anything. */
  readonly initial: Value;
  /** Masked wherever it is shown. */
  readonly isSecret: boolean;
  /** @throws SettingProblem */
  fromText(text: string, folder: string): Value;
  /** @throws SettingProblem */
  fromToml(value: unknown, folder: string): Value;
}

/** Says what a value has to be; whoever catches it knows which one and where. */
export class SettingProblem extends Error {}

type Check<Value> = (text: string, folder: string) => Value;

function textual<Value>(variable: string, initial: Value, check: Check<Value>, isSecret = false): Setting<Value> {
  return {
    variable,
    initial,
    isSecret,
    fromText: check,
    fromToml(value, folder) {
      if (typeof value !== 'string') throw new SettingProblem('must be a text');
      return check(value, folder);
    },
  };
}

export const text = <Initial extends string | null>(
  variable: string,
  initial: Initial,
): Setting<string | Extract<Initial, null>> =>
  textual<string | Extract<Initial, null>>(variable, initial as string | Extract<Initial, null>, (value) => value);

export const secret = (variable: string): Setting<string | null> =>
  textual<string | null>(variable, null, (value) => value, true);

export function oneOf<const Word extends string>(
  variable: string,
  initial: Word,
  words: readonly Word[],
): Setting<Word> {
  return textual(variable, initial, (value) => {
    const word = words.find((known) => known === value);
    if (word === undefined) throw new SettingProblem(`must be one of ${words.join(', ')}`);
    return word;
  });
}

/** An address with one of these schemes. */
export const url = (variable: string, schemes: readonly string[]): Setting<string | null> =>
  textual<string | null>(variable, null, (value) => {
    if (!URL.canParse(value) || !schemes.includes(new URL(value).protocol.slice(0, -1))) {
      throw new SettingProblem(`must be an address that begins with ${schemes.map((s) => `${s}://`).join(' or ')}`);
    }
    return value;
  });

/** An http(s) address that paths are put behind: without a slash at its end. */
export function baseUrl(variable: string): Setting<string | null> {
  const whole = url(variable, ['http', 'https']);
  const trim = (value: string | null): string | null => value?.replace(/\/+$/, '') ?? null;
  return {
    ...whole,
    fromText: (value, folder) => trim(whole.fromText(value, folder)),
    fromToml: (value, folder) => trim(whole.fromToml(value, folder)),
  };
}

/** `host:port`, as Temporal's clients take it. */
export const hostAndPort = (variable: string): Setting<string | null> =>
  textual<string | null>(variable, null, (value) => {
    if (!/^(\[[0-9a-f:]+\]|[^\s:/]+):\d{1,5}$/i.test(value)) throw new SettingProblem('must be host:port');
    return value;
  });

/** Made absolute: relative ones count from the folder of the file, which is where the command runs. */
export function path<Initial extends string | null>(
  variable: string,
  initial: Initial,
  toAbsolute: (folder: string, path: string) => string,
): Setting<string | Extract<Initial, null>> {
  return textual<string | Extract<Initial, null>>(
    variable,
    initial as string | Extract<Initial, null>,
    (value, folder) => toAbsolute(folder, value),
  );
}

/** A whole number within these bounds, both included. */
export function whole(
  variable: string,
  initial: number,
  [min, max]: readonly [number, number],
  what = 'number',
): Setting<number> {
  const check = (value: number): number => {
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new SettingProblem(`must be a whole ${what} from ${min} to ${max}`);
    }
    return value;
  };
  return {
    variable,
    initial,
    isSecret: false,
    fromText: (value) => check(/^-?\d+$/.test(value) ? Number(value) : Number.NaN),
    fromToml: (value) => check(typeof value === 'number' ? value : Number.NaN),
  };
}

/** 0 asks for any free port. `null`: the usual one when it is free. */
export function port(variable: string): Setting<number | null> {
  const check = (value: number): number => {
    if (!Number.isInteger(value) || value < 0 || value > 65_535) {
      throw new SettingProblem('must be a port, a whole number from 0 to 65535');
    }
    return value;
  };
  return {
    variable,
    initial: null,
    isSecret: false,
    fromText: (value) => check(/^\d+$/.test(value) ? Number(value) : Number.NaN),
    fromToml: (value) => check(typeof value === 'number' ? value : Number.NaN),
  };
}

/** An address to listen on, or `off`: `null`. */
export const lineHost = (variable: string): Setting<string | null> =>
  textual<string | null>(variable, '127.0.0.1', (value) => {
    if (!/^[\w.:-]+$/.test(value)) throw new SettingProblem('must be an address of this machine, or off');
    return value === 'off' ? null : value;
  });

/** Whole seconds, 0 included. */
export const seconds = (variable: string, initial: number): Setting<number> =>
  whole(variable, initial, [0, 3_600], 'number of seconds');

/** Origins; in a variable they are separated by commas. */
export function origins(variable: string): Setting<readonly string[]> {
  const check = (value: unknown): string => {
    if (typeof value !== 'string' || !URL.canParse(value) || !/^https?:\/\/[^/]+\/?$/.test(value)) {
      throw new SettingProblem('must be a list of origins such as https://chat.example.com');
    }
    return new URL(value).origin;
  };
  return {
    variable,
    initial: [],
    isSecret: false,
    fromText: (value) =>
      value
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '')
        .map(check),
    fromToml(value) {
      if (!Array.isArray(value)) throw new SettingProblem('must be a list of origins such as https://chat.example.com');
      return value.map(check);
    },
  };
}
