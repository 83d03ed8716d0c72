import { mkdir, mkdtemp, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createAgentFiles, parseAgent } from '../../src/agents/agent-files.ts';
import { agentDefaults } from '../../src/agents/agent-schema.ts';
import { CandorError } from '../../src/protocol/errors.ts';
import type { AgentId } from '../../src/protocol/ids.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'candor-agents-'));
});
afterEach(() => rm(dir, { recursive: true }));

const helper = 'helper' as AgentId;
const write = (name: string, text: string): Promise<void> => writeFile(join(dir, name), text);
const withFront = (front: string, body = 'You help.'): string => `---\nid: helper\n${front}\n---\n\n${body}\n`;

const reasonOf = (text: string): string => {
  try {
    parseAgent(helper, text);
  } catch (error) {
    if (error instanceof CandorError && error.code === 'agent_invalid') return error.message;
    throw error;
  }
  throw new Error('the file was accepted');
};

describe('an agent file', () => {
  test('with an id and a prompt has the published limits', () => {
    expect(parseAgent(helper, '---\nid: helper\n---\nYou help.')).toEqual({
      id: 'helper',
      name: 'helper',
      description: '',
      model: null,
      temperature: null,
      maxTokens: null,
      maxSteps: 8,
      historyTokens: 4_000,
      contextTokens: 1_500,
      contextItems: 6,
      maxAttempts: 4,
      timeouts: { connectMs: 10_000, firstTokenMs: 60_000, silenceMs: 30_000 },
      turnMs: 900_000,
      systemPrompt: 'You help.',
    });
  });

  test('sets each of them', () => {
    const front = [
      'name: Helper',
      'description: Answers questions.',
      'model: big-model',
      'temperature: 0.2',
      'maxTokens: 900',
      'maxSteps: 3',
      'history: { tokens: 100 }',
      'context: { documents: 2, tokens: 200 }',
      'retry: { attempts: 6 }',
      'timeouts: { connectSeconds: 1, firstTokenSeconds: 2.5, silenceSeconds: 3, turnSeconds: 60 }',
      'tools: []',
      'subagents: []',
    ].join('\n');
    expect(parseAgent(helper, withFront(front, '  Two\n\nparagraphs.  '))).toEqual({
      id: 'helper',
      name: 'Helper',
      description: 'Answers questions.',
      model: 'big-model',
      temperature: 0.2,
      maxTokens: 900,
      maxSteps: 3,
      historyTokens: 100,
      contextTokens: 200,
      contextItems: 2,
      maxAttempts: 6,
      timeouts: { connectMs: 1_000, firstTokenMs: 2_500, silenceMs: 3_000 },
      turnMs: 60_000,
      systemPrompt: 'Two\n\nparagraphs.',
    });
  });

  test('says `default` for the configured model', () => {
    expect(parseAgent(helper, withFront('model: default')).model).toBeNull();
  });

  test('may have Windows line ends, a byte order mark, and rules in its prompt', () => {
    const agent = parseAgent(helper, '\uFEFF---\r\nid: helper\r\nname: Helper\r\n---\r\nOne\r\n---\r\nTwo');
    expect([agent.name, agent.systemPrompt]).toEqual(['Helper', 'One\r\n---\r\nTwo']);
  });

  test.each([
    ['an unknown key', withFront('temprature: 1'), 'line 3: unknown key «temprature»'],
    ['an unknown inner key', withFront('name: x\ncontext:\n  dokuments: 3'), 'line 5: unknown key «context.dokuments»'],
    ['a value of the wrong type', withFront('name: x\nmaxSteps: many'), 'line 4: maxSteps: '],
    ['fewer tries than published', withFront('retry: { attempts: 3 }'), 'line 3: retry.attempts: an agent may add'],
    [
      'another id than its name',
      '---\nname: x\nid: other\n---\nHi',
      'line 3: id is «other», the file is named helper.md',
    ],
    ['no id', '---\nname: x\n---\nHi', 'id: '],
    ['no prompt', '---\nid: helper\n---\n  \n', 'the system prompt behind the front matter is empty'],
    ['no front matter', 'You help.', 'line 1: the file does not begin with front matter'],
    ['front matter that never ends', '---\nid: helper\n', 'line 1: the file does not begin with front matter'],
    ['a list for front matter', '---\n- a\n---\nHi', 'line 2: '],
    ['broken YAML', withFront('name: x\nmodel: [a'), 'line '],
    ['a key twice', withFront('name: x\nname: y'), 'line 4: Map keys must be unique'],
    ['tools', withFront('tools: [search]'), 'line 3: tools: tools cannot be used in this version'],
    ['sub-agents', withFront('subagents: [a]'), 'line 3: subagents: sub-agents cannot be used in this version'],
  ])('with %s is refused with the line', (_, text, reason) => {
    const message = reasonOf(text);
    expect(message).toContain('agents/helper.md, ');
    expect(message).toContain(reason);
  });

  test('is told all its problems at once', () => {
    const message = reasonOf(withFront('a: 1\nb: 2\nmaxSteps: 0'));
    expect(message).toMatch(/line 3: unknown key «a».*line 4: unknown key «b»/);
    expect(message).toContain('line 5: maxSteps');
  });
});

describe('a folder of agents', () => {
  test('is read anew for each call', async () => {
    const agents = createAgentFiles({ dir });
    await write('helper.md', withFront('name: One'));
    expect((await agents.load(helper)).name).toBe('One');
    await write('helper.md', withFront('name: Two'));
    expect((await agents.load(helper)).name).toBe('Two');
  });

  test.each(['nobody', '../package', 'Helper', '', 'a/b'])('has no agent «%s»', async (id) => {
    await write('helper.md', withFront(''));
    await expect(createAgentFiles({ dir }).load(id as AgentId)).rejects.toMatchObject({ code: 'agent_not_found' });
  });

  test('lists the valid ones and says why others are not', async () => {
    await write('helper.md', withFront(''));
    await write('broken.md', '---\nid: broken\nfoo: 1\n---\nHi');
    await write('Bad Name.md', withFront(''));
    await write('README.md', 'About these agents.');
    await write('notes.txt', 'Nothing.');
    await mkdir(join(dir, 'folder.md'));
    const { agents, broken } = await createAgentFiles({ dir }).list();
    expect(agents.map((a) => a.id)).toEqual(['helper']);
    expect(broken).toEqual([
      { file: 'Bad Name.md', reason: 'agents/Bad Name.md: the name is no id; use lower-case letters, digits, - and _' },
      {
        file: 'broken.md',
        reason: 'The definition of the agent broken is broken (agents/broken.md, line 3: unknown key «foo»).',
      },
    ]);
    await expect(createAgentFiles({ dir }).load('broken' as AgentId)).rejects.toMatchObject({ code: 'agent_invalid' });
  });

  test('that does not exist is said to be missing', async () => {
    const { agents, broken } = await createAgentFiles({ dir: join(dir, 'none') }).list();
    expect(agents).toEqual([]);
    expect(broken[0]?.reason).toContain('does not exist; create it or set CANDOR_AGENTS_DIR');
  });

  test('takes other defaults when it is given some', async () => {
    await write('helper.md', withFront('retry: { attempts: 5 }'));
    const agents = createAgentFiles({ dir, defaults: { ...agentDefaults, maxAttempts: 6, contextItems: 1 } });
    await expect(agents.load(helper)).rejects.toMatchObject({ code: 'agent_invalid' });
  });

  test('comes with Candor, and every file in it is valid', async () => {
    const { agents, broken } = await createAgentFiles({ dir: 'agents' }).list();
    expect(broken).toEqual([]);
    expect(agents.map((a) => a.id)).toContain('operator');
  });
});

describe('an agent that was read before', () => {
  // The file counts as one that has rested for long.
  const open = () => createAgentFiles({ dir, nowMs: () => Date.now() + 60_000 });
  const file = (): string => join(dir, 'helper.md');
  const promptOf = async (agents: ReturnType<typeof open>): Promise<string> => (await agents.load(helper)).systemPrompt;
  const changedAt = async (): Promise<bigint> => (await stat(file(), { bigint: true })).ctimeNs;

  /** Until the file system's clock has ticked: earlier than that it would not count as rested. */
  async function change(text: string): Promise<void> {
    const before = await changedAt();
    do await writeFile(file(), withFront('', text));
    while ((await changedAt()) === before);
  }

  test('is not parsed again while its file rests', async () => {
    await write('helper.md', withFront('', 'One.'));
    const agents = open();
    expect(await agents.load(helper)).toBe(await agents.load(helper));
  });

  test('is parsed again when its file is edited, also to the same length and with its old times', async () => {
    await write('helper.md', withFront('', 'One.'));
    const { atime, mtime } = await stat(file());
    const agents = open();
    expect(await promptOf(agents)).toBe('One.');
    await change('Two.');
    await utimes(file(), atime, mtime);
    expect(await promptOf(agents)).toBe('Two.');
  });

  test('is parsed again when another file takes its place', async () => {
    await write('helper.md', withFront('', 'One.'));
    await write('next', withFront('', 'Two.'));
    const agents = open();
    expect(await promptOf(agents)).toBe('One.');
    await rename(join(dir, 'next'), file());
    expect(await promptOf(agents)).toBe('Two.');
  });

  test('is broken or gone as soon as its file is, and back with it', async () => {
    await write('helper.md', withFront('', 'One.'));
    const agents = open();
    await agents.load(helper);
    await writeFile(file(), 'no front matter');
    await expect(agents.load(helper)).rejects.toMatchObject({ code: 'agent_invalid' });
    await rm(file());
    await expect(agents.load(helper)).rejects.toMatchObject({ code: 'agent_not_found' });
    await write('helper.md', withFront('', 'Two.'));
    expect(await promptOf(agents)).toBe('Two.');
  });

  test('is not kept while its file is new: it may be written again within a tick of the clock', async () => {
    const agents = createAgentFiles({ dir });
    for (const text of ['One.', 'Two.', 'Six.', 'Ten.']) {
      await write('helper.md', withFront('', text));
      expect(await promptOf(agents)).toBe(text);
    }
  });
});
