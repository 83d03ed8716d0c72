import { describe, expect, test } from '@jest/globals';
import { createTurnReader } from '../../src/activities/turn-reading.ts';
import { agentDefaults } from '../../src/agents/agent-schema.ts';
import { CandorError } from '../../src/protocol/errors.ts';
import type { TurnId } from '../../src/protocol/ids.ts';
import type { AgentDefinition, Foreseen } from '../../src/protocol/ports.ts';
import { newTurn } from '../graph/graph-under-test.ts';

const foreseen: Foreseen = { parentTurnId: null, previousReceiptSha256: null, position: 1, leaf: null, history: [] };

function createRig() {
  const looks: TurnId[] = [];
  let ms = 0;
  let systemPrompt = 'first';
  const reader = createTurnReader({
    graph: {
      async foresee({ turnId }) {
        looks.push(turnId);
        return foreseen;
      },
      searchKnowledge: async () => [],
    },
    agents: {
      async load(id): Promise<AgentDefinition> {
        if (systemPrompt === '') throw new CandorError('agent_not_found', { facts: { agent: id } });
        const named = { id, name: id, description: '', model: null, temperature: null, maxTokens: null };
        return { ...agentDefaults, ...named, systemPrompt };
      },
    },
    nowMs: () => ms,
  });
  return {
    reader,
    looks,
    edit(text: string) {
      systemPrompt = text;
    },
    passMs(more: number) {
      ms += more;
    },
    async promptFor(turn: Parameters<typeof reader.take>[0]): Promise<string | null> {
      const found = await reader.take(turn).found;
      return found.status === 'fulfilled' ? found.value.agent.systemPrompt : null;
    },
  };
}

describe('what the first step of a turn reads', () => {
  test('is read once when it was begun a moment ago', async () => {
    const rig = createRig();
    const turn = newTurn();
    rig.reader.begin(turn);
    await rig.reader.take(turn).foreseen;
    expect(rig.looks).toEqual([turn.turnId]);
  });

  test('is read anew by a second try, which sees what has changed since', async () => {
    const rig = createRig();
    const turn = newTurn();
    rig.reader.begin(turn);
    expect(await rig.promptFor(turn)).toBe('first');
    rig.edit('second');
    expect(await rig.promptFor(turn)).toBe('second');
    expect(rig.looks).toHaveLength(2);
  });

  test('is read anew when the step comes late', async () => {
    const rig = createRig();
    const turn = newTurn();
    rig.reader.begin(turn);
    rig.edit('second');
    rig.passMs(1_000);
    expect(await rig.promptFor(turn)).toBe('second');
  });

  test('is read by each turn for itself', async () => {
    const rig = createRig();
    const [begun, other] = [newTurn(), newTurn()];
    rig.reader.begin(begun);
    await rig.reader.take(other).foreseen;
    expect(rig.looks).toEqual([begun.turnId, other.turnId]);
  });

  test('fails for whoever waits for it, and for nobody else', async () => {
    const rig = createRig();
    const turn = newTurn();
    rig.edit('');
    rig.reader.begin(newTurn());
    rig.reader.begin(turn);
    const { found, foreseen: seen } = rig.reader.take(turn);
    expect(await found).toMatchObject({ status: 'rejected', reason: { code: 'agent_not_found' } });
    expect(await seen).toMatchObject({ status: 'fulfilled' });
  });

  test('is forgotten when other workers got the steps: 64 at most, none for long', async () => {
    const rig = createRig();
    const turns = Array.from({ length: 65 }, () => newTurn());
    for (const turn of turns) rig.reader.begin(turn);
    const [first, last] = [turns[0], turns[64]];
    if (first === undefined || last === undefined) throw new Error('there are 65');
    rig.reader.take(last);
    expect(rig.looks).toHaveLength(65);
    rig.reader.take(first);
    expect(rig.looks).toHaveLength(66);
  });
});
