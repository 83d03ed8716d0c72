// `candor chat` at a pseudo terminal, against a whole Candor: what a person sees, and in which state the shell gets its
// terminal back.

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answer, createValve } from '../../testing/upstream/upstream.ts';
import { createReplies, type Replies } from '../e2e/replies.ts';
import { startStack, type Stack } from '../stack.ts';
import { bareEnvironment } from './chat-process.ts';
import { openPseudoTerminal, withoutPseudoTerminal, type PseudoTerminal } from './pseudo-terminal.ts';

const title = 'candor chat at a pseudo terminal';
const bin = fileURLToPath(new URL('../../bin/candor.mjs', import.meta.url));

(withoutPseudoTerminal === null ? describe : describe.skip)(
  withoutPseudoTerminal === null ? title : `${title} (skipped: ${withoutPseudoTerminal})`,
  () => {
    let stack: Stack;
    let replies: Replies;
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'candor-chat-'));
      stack = await startStack();
      replies = createReplies(stack.upstream);
    });
    afterAll(async () => {
      await stack.close();
      await rm(folder, { recursive: true, force: true });
    });

    const chatCommand = async (): Promise<readonly string[]> => [
      process.execPath,
      bin,
      'chat',
      ...['--url', stack.url, '--token', await stack.token()],
    ];
    const opened: PseudoTerminal[] = [];
    afterEach(async () => {
      for (const terminal of opened.splice(0)) {
        terminal.hangUp();
        await terminal.ended;
      }
    });
    const open = async (): Promise<PseudoTerminal> => {
      const chat = openPseudoTerminal(await chatCommand(), bareEnvironment(folder), folder);
      opened.push(chat);
      await chat.until(/^›/);
      return chat;
    };

    test('a message is answered, a second one too, and what was written is remembered for its owner only', async () => {
      replies.to('How?', answer(['## Steps\n\n- **drain** ', 'the node\n- restart']));
      replies.to('And then?', answer('Nothing.'));
      const chat = await open();
      chat.type('How?\r');
      await chat.until(/✓ wire-model/);
      chat.type('And then?\r');
      await chat.until(/^Nothing\.$/);
      await chat.until(/⚖ audit passed/);
      chat.type('/quit\r');
      expect(await chat.ended).toEqual({ code: 0, isSane: true });
      const rows = await chat.all();
      expect(rows.filter((line) => /^(› .+|## Steps|• .*|Nothing\.)$/.test(line))).toEqual([
        '› How?',
        '## Steps',
        '• drain the node',
        '• restart',
        '› And then?',
        'Nothing.',
      ]);
      const file = join(folder, 'chat', 'history');
      expect(await readFile(file, 'utf8')).toBe('"How?"\n"And then?"\n"/quit"\n');
      expect((await stat(file)).mode & 0o777).toBe(0o600);
    });

    test('Ctrl-C stops the answer, Ctrl-D leaves', async () => {
      const valve = createValve();
      replies.to('Long?', answer(['It goes on ', 'and on'], { valve }));
      const chat = await open();
      chat.type('Long?\r');
      await replies.call('Long?');
      valve.pass(1);
      await chat.until(/It goes on/);
      chat.type('\u0003');
      await chat.until(/■ stopped by you · asked at/);
      chat.type('\u0004');
      expect(await chat.ended).toEqual({ code: 0, isSane: true });
    });

    test('Ctrl-Z gives the terminal to the shell, fg brings the session back', async () => {
      const shell = openPseudoTerminal(['bash', '--norc', '--noprofile', '-i'], bareEnvironment(folder), folder);
      opened.push(shell);
      shell.type(`${(await chatCommand()).join(' ')}\r`);
      await shell.until(/^›/);
      shell.type('half a mess');
      await shell.until(/^› half a mess/);
      shell.type('\u001a');
      await shell.until(/Stopped/);
      expect((await shell.screen()).join('\n')).not.toContain('half a mess');
      // The quotes tell what is printed from what is typed.
      shell.type('echo se"en"; fg; echo le"ft"\r');
      await shell.until(/^seen/);
      await shell.until(/^› half a mess$/);
      shell.type('\u0003');
      await shell.until(/^›$/);
      shell.type('\u0004');
      await shell.until(/^left/);
      shell.type('exit\r');
      expect(await shell.ended).toEqual({ code: 0, isSane: true });
    });
  },
);
