// The head of a knowledge document: who it is and where it comes from. A document without a source is refused, because
// an answer has to be able to name one.

import { parseDocument as parseYaml } from 'yaml';

export interface FrontMatter {
  readonly id: string;
  readonly title: string;
  readonly source: string;
  /** For people who look through the folder. */
  readonly tags: readonly string[];
}

const head = /^\uFEFF?---\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/;
const idPattern = /^[a-z0-9][a-z0-9._-]{0,127}$/;

/** @throws Error that names the file and what is wrong with it */
export function parseFrontMatter(path: string, text: string): { readonly matter: FrontMatter; readonly body: string } {
  const found = head.exec(text);
  if (found === null) throw broken(path, 'it does not begin with front matter between two lines of ---');
  const yaml = parseYaml(found[1] ?? '');
  const [error] = yaml.errors;
  if (error !== undefined) throw broken(path, error.message, error);
  const matter = toFrontMatter(path, yaml.toJS());
  return { matter, body: text.slice(found[0].length) };
}

function toFrontMatter(path: string, value: unknown): FrontMatter {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw broken(path, 'its front matter has no keys');
  }
  const fields = value as Readonly<Record<string, unknown>>;
  const textOf = (key: 'id' | 'title' | 'source'): string => {
    const field = fields[key];
    if (typeof field !== 'string' || field.trim() === '') throw broken(path, `\`${key}\` has to be a text`);
    return field.trim();
  };
  const id = textOf('id');
  if (!idPattern.test(id)) throw broken(path, `\`id\` has to match ${idPattern.source}, it is ${JSON.stringify(id)}`);
  const tags: unknown = fields['tags'] ?? [];
  if (!isTexts(tags)) throw broken(path, '`tags` has to be a list of texts');
  return { id, title: textOf('title'), source: textOf('source'), tags };
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

const broken = (path: string, reason: string, cause?: unknown): Error =>
  new Error(`unable to read the document ${path}; ${reason}`, cause === undefined ? undefined : { cause });
