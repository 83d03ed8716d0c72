// What a person sees and can do at a terminal: an emulated one, the real client, and a gateway whose turns do what the test
// says.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { auditWorkflowId } from '../../src/protocol/ids.ts';
import type { SequencedEvent } from '../../src/protocol/events.ts';
import { ctrlC, enter, finish, startEmulatedSession, type EmulatedSession } from './emulated-session.ts';
import { foreignControl } from './terminal-text.ts';

let chat: EmulatedSession;
beforeEach(async () => {
  chat = await startEmulatedSession({ columns: 60, rows: 16 });
});
afterEach(() => chat.close());

/** What is on the screen between the question and the input. */
const answerOn = (rows: readonly string[]): readonly string[] => {
  const from = rows.findLastIndex((line) => line.startsWith('›'));
  return rows.slice(rows.slice(0, from).findLastIndex((line) => line.startsWith('›')) + 1, from);
};

describe('an answer', () => {
  test('grows on the screen as markdown and stays there once', async () => {
    const { gateway } = chat;
    const script = await chat.ask('How?');
    gateway.emit(script.delta(0, '# Steps\n\n- **drain** the no'));
    await chat.until(/• drain the no/);
    expect(answerOn(await chat.screen())).toEqual([
      '',
      '# Steps',
      '',
      '• drain the no',
      '',
      expect.stringMatching(/answering · 27 characters · 0 s · Ctrl-C stops/),
    ]);
    const text = '# Steps\n\n- **drain** the node\n- restart';
    gateway.emit(script.delta(27, 'de\n- restart'));
    finish(gateway, script, text);
    await chat.until(/✓ /);
    const all = (await chat.all()).join('\n');
    expect(all).toMatch(/receipt\s+[0-9a-f]{12}/);
    expect(all.match(/drain the node/g)).toHaveLength(1);
    expect(all).toContain('sources: Runbook');
    expect(all).not.toContain('answering');
  });

  test('that is longer than the screen is there once, from its first to its last row', async () => {
    const { gateway } = chat;
    const script = await chat.ask('A long one?');
    const lines = Array.from({ length: 60 }, (_, index) => `row number ${index}`);
    const text = `\`\`\`\n${lines.join('\n')}\n\`\`\``;
    for (let at = 0; at < text.length; at += 50) gateway.emit(script.delta(at, text.slice(at, at + 50)));
    await chat.until(/row number 59/);
    finish(gateway, script, text);
    await chat.until(/✓ /);
    const shown = (await chat.all()).flatMap((line) => /row number \d+/.exec(line) ?? []);
    expect(shown).toEqual(lines);
    expect((await chat.all()).join('\n')).not.toContain('withdrawn');
  });

  test('R28: text of a failed try is gone from the screen and said to be', async () => {
    const { gateway } = chat;
    const script = await chat.ask('Which?');
    gateway.emit(script.delta(0, 'A wrong beginning'));
    await chat.until(/A wrong beginning/);
    gateway.emit(script.attemptFailed(1, 17));
    await chat.until(/next try in 4 s \(2 of 4\)/);
    const between = (await chat.screen()).join('\n');
    expect(between).not.toContain('A wrong beginning');
    expect(between).toContain('✗ try 1 of 4 failed');
    expect(between).toContain('discarded: 17 characters of try 1');
    gateway.emit(script.thinking(2));
    gateway.emit(script.delta(0, 'The right one', 2));
    finish(gateway, script, 'The right one', 2);
    await chat.until(/✓ /);
    const all = (await chat.all()).join('\n');
    expect(all).toContain('The right one');
    expect(all).not.toContain('A wrong beginning');
  });

  test('R28: withdrawn text that has left the screen is marked as withdrawn where the answer goes on', async () => {
    const { gateway } = chat;
    const script = await chat.ask('Which?');
    const wrong = Array.from({ length: 40 }, (_, index) => `wrong ${index}`).join('\n\n');
    gateway.emit(script.delta(0, wrong));
    await chat.until(/wrong 39/);
    gateway.emit(script.attemptFailed(1, wrong.length));
    gateway.emit(script.thinking(2));
    gateway.emit(script.delta(0, 'right', 2));
    finish(gateway, script, 'right', 2);
    await chat.until(/✓ /);
    const all = await chat.all();
    const mark = all.findIndex((line) => /↑ withdrawn: the \d+ rows above; what holds follows/.test(line));
    expect(all.findLastIndex((line) => line.startsWith('wrong'))).toBeLessThan(mark);
    expect(all.findIndex((line) => line === 'right')).toBeGreaterThan(mark);
    expect((await chat.screen()).join('\n')).not.toContain('wrong 39');
  });

  test('R31: a turn that failed shows no answer', async () => {
    const { gateway } = chat;
    const script = await chat.ask('Which?');
    gateway.emit(script.delta(0, 'half an answer'));
    await chat.until(/half an answer/);
    const error = {
      code: 'graph_unavailable',
      message: 'The store is away.',
      retryable: true,
      source: 'graph',
    } as const;
    const { seq, ...rest } = script.answered('half an answer');
    gateway.emit({ ...rest, seq });
    gateway.emit({
      ...(script.stored() as object),
      type: 'turn_failed',
      error,
      receipt: null,
    } as unknown as SequencedEvent);
    await chat.until(/✗ no answer: The store is away\. \(graph_unavailable\)/);
    expect((await chat.all()).join('\n')).not.toContain('half an answer');
  });

  test('what a model says cannot steer the terminal', async () => {
    const { gateway } = chat;
    const script = await chat.ask('Attack?');
    const text = 'be\u001b[2Jfore\u001b]52;c;ZXZpbA==\u0007 \u009b31mand \u202eafter &#27;[6n';
    for (let at = 0; at < text.length; at += 1) gateway.emit(script.delta(at, text.slice(at, at + 1)));
    finish(gateway, script, text);
    await chat.until(/✓ /);
    expect(foreignControl(chat.written)).toBeNull();
    const all = (await chat.all()).join('\n');
    expect(all).toContain('before and ‹U+202E›after');
    expect(all).toMatch(/! \d+ control characters taken out of the text/);
  });
});

describe('a person', () => {
  test('stops with Ctrl-C and sees who stopped and what came after', async () => {
    const { gateway } = chat;
    const script = await chat.ask('Long?');
    gateway.emit(script.delta(0, 'It goes on'));
    await chat.until(/It goes on/);
    chat.type(ctrlC);
    await gateway.frame('cancel');
    await chat.until(/stopping · Ctrl-C again leaves/);
    gateway.emit({
      ...script.cancelled(),
      upstreamClosedAt: '2026-01-02T03:04:05.100Z',
      charsAfterStop: 3,
    } as SequencedEvent);
    await chat.until(/■ stopped by you · asked at .*5\.000/);
    const all = (await chat.all()).join(' ');
    expect(all).toContain('It goes on');
    expect(all.replaceAll(/\s+/g, ' ')).toMatch(/model closed at \S+5\.100 · 3 characters after the stop/);
  });

  test('says that a stop was refused, and shows the answer that goes on', async () => {
    const { gateway } = chat;
    const script = await chat.ask('Long?');
    gateway.emit(script.delta(0, 'It goes on'));
    await chat.until(/It goes on/);
    chat.type(ctrlC);
    const { turnId } = (await gateway.frame('cancel')) as { turnId: string };
    gateway.refuse('forbidden', turnId);
    await chat.until(/✗ unable to stop the turn/);
    gateway.emit(script.delta(10, ' and on'));
    await chat.until(/It goes on and on/);
  });

  test('leaves with a second Ctrl-C; the turn goes on and the terminal is as it was', async () => {
    await chat.ask('Long?');
    chat.type(ctrlC);
    await chat.until(/stopping/);
    chat.type(ctrlC);
    expect(await chat.session.ended).toBe(130);
    expect(chat.isRaw).toBe(false);
    expect(chat.written.endsWith('\u001b[?2004l\u001b[?25h')).toBe(true);
    expect((await chat.all()).join(' ')).toMatch(/the turn goes on without you; candor chat --conversation/);
  });

  test('writes while an answer comes: the message is queued and shown behind it', async () => {
    const { gateway } = chat;
    const first = await chat.ask('First?');
    gateway.emit(first.delta(0, 'The first answer'));
    await chat.until(/The first answer/);
    const second = await chat.ask('Second?');
    await chat.until(/queued: Second\?/);
    expect((await chat.screen()).join('\n')).toContain('1 message queued');
    finish(gateway, first, 'The first answer');
    await chat.until(/✓ /);
    gateway.emit(second.delta(0, 'The second answer'));
    finish(gateway, second, 'The second answer');
    await chat.until(/The second answer/);
    const all = (await chat.all()).filter((line) => /First\?|Second\?|answer$/.test(line));
    expect(all).toEqual(['› First?', 'The first answer', '› Second?', 'The second answer']);
  });

  test('interrupts, asks again, and gets the receipt in a file', async () => {
    const { gateway } = chat;
    const script = await chat.ask('First?');
    chat.type(`/interrupt No, this${enter}`);
    const message = await gateway.frame('message');
    expect(message).toMatchObject({ text: 'No, this', busy: 'interrupt' });
    gateway.emit(script.cancelled());
    await chat.until(/■ stopped by you/);
    gateway.refuse('conversation_busy', message.turnId);
    chat.type(ctrlC);
    const second = await startEmulatedSession();
    const other = await second.ask('Again?');
    finish(second.gateway, other, 'Yes');
    await second.until(/✓ /);
    second.type(`/retry${enter}`);
    const { turnId } = other.completed();
    expect(await second.gateway.frame('message')).toMatchObject({ text: 'Again?', regenerateOf: turnId });
    second.type(`/receipt r.json${enter}`);
    await second.until(/saved: candor verify r\.json/);
    expect(JSON.parse(second.saved.get('r.json') ?? '')).toMatchObject({ turnId, outcome: 'completed' });
    await second.close();
  });

  test('sees the verdict when it comes later', async () => {
    const { gateway } = chat;
    const script = await chat.ask('True?');
    finish(gateway, script, 'Yes');
    await chat.until(/✓ /);
    const { turnId, conversationId, time } = script.completed();
    gateway.emit({
      type: 'audit_completed',
      ...{ turnId, conversationId, time },
      auditId: auditWorkflowId(turnId),
      verdict: 'flagged',
      confidence: 0.7,
      reason: 'one \u001b[31msource is missing',
    });
    await chat.until(/⚖ flagged by the audit \(70 %\): one source/);
    expect((await chat.all()).join(' ').replaceAll(/\s+/g, ' ')).toContain('one source is missing · «True?»');
  });

  test('sees that the connection is lost and that it is back; nothing is shown twice', async () => {
    const { gateway } = chat;
    const script = await chat.ask('Still there?');
    gateway.emit(script.delta(0, 'One, '));
    await chat.until(/One,/);
    gateway.cut();
    await chat.until(/connection lost, next try in/);
    gateway.emit(script.delta(5, 'two, '), 'lost');
    await chat.until(/connected again/);
    gateway.emit(script.delta(10, 'three'));
    finish(gateway, script, 'One, two, three');
    await chat.until(/✓ /);
    expect((await chat.all()).filter((line) => line.includes('One,'))).toEqual(['One, two, three']);
  });

  test('decides about the call of a tool: this call and these arguments', async () => {
    const { gateway } = chat;
    const script = await chat.ask('Delete it?');
    const asked = {
      ...script.stored(),
      type: 'approval_requested',
      callId: 'call-1',
      tool: 'delete_job',
      arguments: { job: '42\u001b[2J' },
      argumentsSha256: 'ab'.repeat(32),
      expiresAt: '2026-01-02T04:00:00.000Z',
    };
    gateway.emit(asked as unknown as SequencedEvent);
    await chat.until(/delete_job: approve\? y \/ n/);
    expect((await chat.screen()).join('\n')).toMatch(
      /\? delete_job wants your approval until .*\n {2}\{"job":"42.*"\}/,
    );
    chat.type('y');
    const frame = (await gateway.frame('approve' as never)) as unknown;
    expect(frame).toEqual({
      type: 'approve',
      turnId: script.completed().turnId,
      callId: 'call-1',
      argumentsSha256: 'ab'.repeat(32),
    });
    expect(foreignControl(chat.written)).toBeNull();
  });

  test('is told what a command is, which there are, and how a message begins with a slash', async () => {
    chat.type('/re');
    await chat.until(/\/retry {2}ask for another answer/);
    chat.type(`cover${enter}`);
    await chat.until(/unknown command \/recover/);
    chat.type(`//etc/hosts${enter}`);
    expect(await chat.gateway.frame('message')).toMatchObject({ text: '/etc/hosts' });
  });
});

describe('what is written', () => {
  test('a paste is one message, whatever lines it has and wherever it is cut', async () => {
    chat.type('see: \u001b[20');
    chat.type('0~one\r\ntwo\nthree\u001b[20');
    chat.type(`1~${enter}`);
    expect(await chat.gateway.frame('message')).toMatchObject({ text: 'see: one\ntwo\nthree' });
    expect(chat.remembered).toEqual(['see: one\ntwo\nthree']);
  });

  test('a backslash at the end, Alt-Enter and Ctrl-J begin a new line', async () => {
    chat.type(`one\\${enter}two\u001b\rthree\nfour${enter}`);
    expect(await chat.gateway.frame('message')).toMatchObject({ text: 'one\ntwo\nthree\nfour' });
  });

  test('is edited where the cursor is, in wide characters too', async () => {
    chat.type('漢字');
    await chat.until(/漢字/);
    const rows = await chat.screen();
    expect(await chat.cursor()).toEqual({ row: rows.length - 1, column: 6 });
    chat.type('\u001b[D\u007fx');
    await chat.until(/x字/);
    expect(await chat.cursor()).toEqual({ row: rows.length - 1, column: 3 });
  });

  test('comes back from the history, of earlier sessions too', async () => {
    const other = await startEmulatedSession({ history: ['newest\nof two lines', 'older'] });
    other.type('\u001b[A');
    await other.until(/› newest/);
    other.type(enter);
    expect(await other.gateway.frame('message')).toMatchObject({ text: 'newest\nof two lines' });
    await other.close();
  });

  test('a long paste shows where the cursor is and how much there is', async () => {
    chat.type(`\u001b[200~${Array.from({ length: 100 }, (_, index) => `line ${index}`).join('\n')}\u001b[201~`);
    await chat.until(/100 lines, 789 characters/);
    const screen = await chat.screen();
    expect(screen.length).toBeLessThan(14);
    expect(screen.join('\n')).toContain('line 99');
  });
});

describe('the terminal', () => {
  test('changes its size while an answer grows: nothing is lost, and nothing left over', async () => {
    const { gateway } = chat;
    const script = await chat.ask('Wide?');
    const words = Array.from({ length: 120 }, (_, index) => `w${index}`).join(' ');
    gateway.emit(script.delta(0, words));
    await chat.until(/w119/);
    chat.resize(40, 12);
    gateway.emit(script.delta(words.length, ' end'));
    await chat.until(/end$/);
    chat.resize(70, 16);
    finish(gateway, script, `${words} end`);
    await chat.until(/✓ /);
    const screen = (await chat.screen()).join(' ');
    expect(screen.match(/w119 end/g)).toHaveLength(1);
    const shown = new Set((await chat.all()).join(' ').match(/\bw\d+\b/g));
    expect(shown.size).toBe(120);
    expect(screen.match(/answering/g)).toBeNull();
  });

  test('is another’s while the session is suspended', async () => {
    chat.type('half');
    await chat.until(/› half/);
    chat.type('\u001a');
    expect(chat.suspended.count).toBe(1);
    expect(chat.isRaw).toBe(false);
    expect((await chat.screen()).join('\n')).not.toContain('half');
    chat.suspended.resume();
    await chat.until(/› half/);
    expect(chat.isRaw).toBe(true);
  });

  test('that is gone ends the session', async () => {
    chat.hangUp();
    expect(await chat.session.ended).toBe(0);
  });
});
