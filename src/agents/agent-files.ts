// The agents: one markdown file each, front matter and system prompt. Looked at for each turn, so that an edit counts
// from the next message on without a restart, and read anew when it is not the file that it was; a broken file is an
// error of its own and leaves the others alone.

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CandorError } from '../protocol/errors.ts';
import { isAgentId, type AgentId } from '../protocol/ids.ts';
import type { AgentCatalogue, AgentDefinition } from '../protocol/ports.ts';
import { agentDefaults, checkAgent, type AgentDefaults } from './agent-schema.ts';
import { parseFrontMatter } from './front-matter.ts';

export interface AgentFilesOptions {
  /** Folder of the files. */
  readonly dir: string;
  readonly defaults?: AgentDefaults;
  /** Absent: the clock of this machine. */
  readonly nowMs?: () => number;
}

/** A file that has rested for so long is told from a later one by its marks: clocks of file systems tick in milliseconds. */
const restedMs = 2_000;

/** Documentation that may lie beside the agents. */
const notAnAgent = 'README.md';
const extension = '.md';

export function createAgentFiles(options: AgentFilesOptions): AgentCatalogue {
  const { dir, defaults = agentDefaults, nowMs = Date.now } = options;
  const kept = new Map<AgentId, { readonly marks: string; readonly agent: AgentDefinition }>();

  const load = async (id: AgentId): Promise<AgentDefinition> => {
    // The id comes from an address: anything else could name a file elsewhere.
    if (!isAgentId(id)) throw new CandorError('agent_not_found', { facts: { agent: id } });
    const path = join(dir, `${id}${extension}`);
    // Before it is read: what changes in between has other marks the next time.
    const { marks, changedMs } = await lookAt(id, path);
    const known = kept.get(id);
    if (known?.marks === marks) return known.agent;
    kept.delete(id);
    const agent = parseAgent(id, await readAgent(id, path), defaults);
    if (nowMs() - changedMs > restedMs) kept.set(id, { marks, agent });
    return agent;
  };

  return {
    load,
    async list() {
      const names = await listFiles(dir);
      if (names === null) {
        const reason = `the folder ${dir} does not exist; create it or set CANDOR_AGENTS_DIR`;
        return { agents: [], broken: [{ file: dir, reason }] };
      }
      const results = await Promise.all(names.map((name) => tryLoad(name, load)));
      return {
        agents: results.flatMap((result) => ('agent' in result ? [result.agent] : [])),
        broken: results.flatMap((result) => ('reason' in result ? [result] : [])),
      };
    },
  };
}

/** Pure. @throws CandorError `agent_invalid` with every problem and its line */
export function parseAgent(id: AgentId, text: string, defaults: AgentDefaults = agentDefaults): AgentDefinition {
  const matter = parseFrontMatter(text);
  if (matter.kind === 'broken') throw toInvalid(id, matter.problems.join('; '));
  const checked = checkAgent(id, matter.values, matter.body, defaults);
  if (checked.kind === 'valid') return checked.agent;
  throw toInvalid(id, checked.problems.map((p) => `line ${matter.lineOf(p.path)}: ${p.text}`).join('; '));
}

type Loaded = { readonly agent: AgentDefinition } | { readonly file: string; readonly reason: string };

async function tryLoad(file: string, load: (id: AgentId) => Promise<AgentDefinition>): Promise<Loaded> {
  const id = file.slice(0, -extension.length);
  if (!isAgentId(id)) {
    return { file, reason: `agents/${file}: the name is no id; use lower-case letters, digits, - and _` };
  }
  try {
    return { agent: await load(id) };
  } catch (error) {
    if (!(error instanceof CandorError)) throw error;
    return { file, reason: error.message };
  }
}

/** Sorted; `null`: there is no such folder. */
async function listFiles(dir: string): Promise<readonly string[] | null> {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory() && entry.name.endsWith(extension) && entry.name !== notAnAgent)
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** What tells a file from an earlier one at its place, whatever its writer did to its times. */
async function lookAt(id: AgentId, path: string): Promise<{ readonly marks: string; readonly changedMs: number }> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs, ctimeMs } = await stat(path, { bigint: true });
    return { marks: [dev, ino, size, mtimeNs, ctimeNs].join(' '), changedMs: Number(ctimeMs) };
  } catch (cause) {
    throw toUnreadable(id, cause);
  }
}

async function readAgent(id: AgentId, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw toUnreadable(id, cause);
  }
}

function toUnreadable(id: AgentId, cause: unknown): CandorError {
  const code = codeOf(cause);
  if (code === 'ENOENT') return new CandorError('agent_not_found', { facts: { agent: id }, cause });
  return toInvalid(id, `it cannot be read (${code})`, cause);
}

const toInvalid = (id: AgentId, reason: string, cause?: unknown): CandorError =>
  new CandorError('agent_invalid', {
    facts: { agent: id, reason: `agents/${id}${extension}, ${reason}` },
    ...(cause === undefined ? {} : { cause }),
  });

const codeOf = (error: unknown): string => String((error as { code?: unknown }).code ?? error);
