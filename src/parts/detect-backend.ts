/**
 * Looks for an OpenAI-compatible server that already runs on this machine, because a model that somebody has chosen and
 * loaded is better than one that we would fetch.
 */
import { isNetworkFailure, readName } from './thrown.ts';

export interface KnownServer {
  readonly name: string;
  readonly port: number;
}

export interface DetectedBackend {
  readonly baseUrl: string;
  readonly model: string;
  /** One line for the terminal. */
  readonly why: string;
}

/** In the order of preference. */
const knownServers: readonly KnownServer[] = [
  { name: 'Ollama', port: 11434 },
  { name: 'LM Studio', port: 1234 },
  { name: 'vLLM', port: 8000 },
  { name: 'llama-server', port: 8080 },
];

/** The first server that names a model that can chat; `undefined` when none does. `timeoutMs` is for all together. */
export async function detectBackend(
  options: { readonly servers?: readonly KnownServer[]; readonly timeoutMs?: number } = {},
): Promise<DetectedBackend | undefined> {
  const { servers = knownServers, timeoutMs = 500 } = options;
  const found = await Promise.all(servers.map((server) => askServer(server, timeoutMs)));
  return found.find((backend) => backend !== undefined);
}

async function askServer(server: KnownServer, timeoutMs: number): Promise<DetectedBackend | undefined> {
  const baseUrl = `http://127.0.0.1:${server.port}/v1`;
  let body: unknown;
  try {
    const response = await fetch(`${baseUrl}/models`, { signal: AbortSignal.timeout(timeoutMs), redirect: 'error' });
    if (!response.ok) return undefined;
    body = await response.json();
  } catch (error) {
    // Nothing there, too slow, or something else that does not speak JSON: no backend.
    if (isNetworkFailure(error) || readName(error) === 'SyntaxError') return undefined;
    throw error;
  }
  const [model] = readChatModels(body);
  if (model === undefined) return undefined;
  return { baseUrl, model, why: `model: ${model}, served by ${server.name} at port ${server.port} on this machine` };
}

/** The ids of `{data: [{id}]}`, as `/v1/models` answers, without those that cannot chat; empty for any other shape. */
export function readChatModels(body: unknown): readonly string[] {
  if (typeof body !== 'object' || body === null || !('data' in body) || !Array.isArray(body.data)) return [];
  const ids = body.data.flatMap((entry: unknown) =>
    typeof entry === 'object' && entry !== null && 'id' in entry && typeof entry.id === 'string' ? [entry.id] : [],
  );
  return ids.filter((id) => !/embed|rerank|whisper/i.test(id));
}
