// Tests one's own agents end to end: their real files, a real worker and gateway, real servers; only the model is played
// by the wire server, because a test has to say what the model does.

import type { ConversationId } from '../../src/protocol/ids.ts';
import { loadKnowledge } from '../../src/knowledge/load-knowledge.ts';
import { startCandor, type StartedCandor, type StartOptions } from './start-candor.ts';
import { sendMessage, type TurnInTest } from './turn-in-test.ts';

export interface TestCandorOptions extends StartOptions {
  /** Folder of markdown files that the agents may know; absent: the graph as it is. */
  readonly knowledgeDir?: string;
}

export interface SayOptions {
  readonly user?: string;
  readonly agentId?: string;
  /** Absent: a conversation of its own. */
  readonly conversationId?: ConversationId;
}

export interface TestCandor extends StartedCandor {
  /** Sends a message as a user does, on a socket of its own; resolves when it is on its way. */
  say(text: string, options?: SayOptions): Promise<TurnInTest>;
}

/**
 * Starts a Candor over a folder of agents.
 *
 * @throws StartError, CandorError `graph_unavailable`; Error when a file of the knowledge is broken
 */
export async function createTestCandor(options: TestCandorOptions): Promise<TestCandor> {
  const started = await startCandor(options);
  try {
    if (options.knowledgeDir !== undefined) await load(options.knowledgeDir, started);
  } catch (error) {
    await started.close();
    throw error;
  }
  return {
    ...started,
    async say(text, { conversationId, ...user } = {}) {
      return sendMessage(await started.connect(user), started.upstream, { text, conversationId });
    },
  };
}

/** In a test a broken file is not left out: whoever asks for it wants to know. */
async function load(folder: string, { candor }: StartedCandor): Promise<void> {
  const { broken } = await loadKnowledge(folder, candor.graph, () => undefined);
  if (broken.length > 0) throw new Error(broken.map(({ reason }) => reason).join('; '));
}
