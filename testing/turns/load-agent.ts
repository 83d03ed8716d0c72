// An agent as its file says, with Candor's own reading of it.

import { createAgentFiles } from '../../src/agents/agent-files.ts';
import type { AgentId } from '../../src/protocol/ids.ts';
import type { AgentDefinition } from '../../src/protocol/ports.ts';

/** @throws CandorError `agent_not_found`, or `agent_invalid` with every problem of the file and its line */
export const loadAgent = (agentsDir: string, id: string): Promise<AgentDefinition> =>
  createAgentFiles({ dir: agentsDir }).load(id as AgentId);
