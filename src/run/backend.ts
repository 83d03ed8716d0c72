// Which model answers, and why, in one line: what was configured, else a server found on this machine, else the bundled
// local model. Decided once, at the start; never exchanged while turns run.

import { basename } from 'node:path';
import type { Config } from '../config.ts';
import type { LocalModelSize } from '../parts/index.ts';
import type { Backend } from './candor.ts';
import { StartError } from './start-error.ts';

export type ModelChoice =
  | { readonly kind: 'remote'; readonly backend: Backend; readonly why: string }
  | { readonly kind: 'local'; readonly size: LocalModelSize; readonly alias: string; readonly why: string }
  /** Asked for: everything runs, and each turn says that there is no model. */
  | { readonly kind: 'none'; readonly why: string };

const openAiUrl = 'https://api.openai.com/v1';

/**
 * @param asked the value of `--model`: `default`, `small`, `none` or an address; `null` when absent
 * @throws StartError when a configured backend names no model
 */
export async function chooseModel(config: Config, asked: string | null): Promise<ModelChoice> {
  const { baseUrl, apiKey, name, file } = config.model;
  if (asked === 'none') return { kind: 'none', why: 'model: none, as asked for by --model none' };
  if (asked === 'small' || asked === 'default') return local(asked, `asked for by --model ${asked}`);
  if (asked !== null) {
    if (!URL.canParse(asked)) {
      throw new StartError(
        `unable to use --model ${asked}; give small, none or an address such as http://127.0.0.1:8080/v1`,
      );
    }
    return remote(asked, apiKey, name, 'asked for by --model');
  }
  if (baseUrl !== null || apiKey !== null) {
    return remote(
      baseUrl ?? openAiUrl,
      apiKey,
      name,
      baseUrl === null ? 'OPENAI_API_KEY is set' : 'OPENAI_BASE_URL is set',
    );
  }
  if (file !== null) return { ...(await local('default', 'MODEL_FILE is set')), alias: basename(file, '.gguf') };
  const { detectBackend } = await loadParts();
  const found = await detectBackend();
  if (found !== undefined) {
    const backend = { baseUrl: found.baseUrl, apiKey: null, model: name ?? found.model };
    return { kind: 'remote', backend, why: found.why };
  }
  return local('default', 'no backend is configured or found on this machine');
}

/** What looks for servers and models; a process that is told its backend starts without it. */
const loadParts = () => import('../parts/index.ts');

async function local(size: LocalModelSize, reason: string): Promise<Extract<ModelChoice, { kind: 'local' }>> {
  const { localModels } = await loadParts();
  const { alias } = localModels[size];
  return { kind: 'local', size, alias, why: `model: ${alias}, run here; ${reason}` };
}

async function remote(
  baseUrl: string,
  apiKey: string | null,
  name: string | null,
  reason: string,
): Promise<ModelChoice> {
  const { origin } = new URL(baseUrl);
  const [model, note] = name === null ? await askModel(baseUrl, apiKey, origin) : [name, ''];
  return { kind: 'remote', backend: { baseUrl, apiKey, model }, why: `model: ${model} at ${origin}; ${reason}${note}` };
}

/**
 * A server of one's own offers what was loaded into it: the first of that is meant. A vendor offers everything it has.
 *
 * @returns the model and what has to be said of the choice
 */
async function askModel(baseUrl: string, apiKey: string | null, origin: string): Promise<readonly [string, string]> {
  if (baseUrl === openAiUrl) throw new StartError(`unable to choose a model of ${origin}; set OPENAI_MODEL`);
  const headers = apiKey === null ? {} : { authorization: `Bearer ${apiKey}` };
  let models: readonly string[];
  try {
    const response = await fetch(`${baseUrl.replace(/\/+$/, '')}/models`, {
      headers,
      signal: AbortSignal.timeout(5_000),
    });
    const { readChatModels } = await loadParts();
    models = readChatModels(await response.json());
  } catch (cause) {
    throw new StartError(`unable to ask ${origin} for its models; set OPENAI_MODEL, or check that it runs`, { cause });
  }
  const [first] = models;
  if (first === undefined) throw new StartError(`unable to choose a model; ${origin} names none: set OPENAI_MODEL`);
  return [first, models.length === 1 ? '' : `; the first of ${models.length}, OPENAI_MODEL chooses another`];
}
