// What the page shows while a part is away and after a failure: the reason, what becomes of the message, and never a
// withdrawn text as an answer.

import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { CandorError } from '../../src/protocol/errors.ts';
import { turnWorkflowId, type TurnId } from '../../src/protocol/ids.ts';
import { ensurePage } from '../../src/run/page.ts';
import { answer, createValve, refuse, resetAfter } from '../../testing/upstream/upstream.ts';
import { startStack, type Stack } from '../stack.ts';
import { findBrowser, launchBrowser } from './browser.ts';

const browserPath = await findBrowser(process.env);
const whenInstalled = browserPath === null ? describe.skip : describe;
const subject = browserPath === null ? 'outages on the page (not tested: no browser on PATH)' : 'outages on the page';

let isGraphAway = false;
let stack: Stack;
let lonely: Stack;
let browser: Browser;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  if (browserPath === null) return;
  const webDir = await ensurePage();
  stack = await startStack({
    webDir,
    decorate: {
      graph: (inner) => ({
        ...inner,
        async storeTurn(input) {
          if (isGraphAway) throw new CandorError('graph_unavailable');
          return inner.storeTurn(input);
        },
      }),
    },
  });
  lonely = await startStack({ webDir, roles: 'gateway', upstream: stack.upstream });
  browser = await launchBrowser(browserPath);
}, 180_000);
afterAll(async () => {
  if (browserPath === null) return;
  await browser.close();
  await lonely.close();
  await stack.close();
});
beforeEach(async () => {
  if (browserPath === null) return;
  isGraphAway = false;
  context = await browser.newContext({ viewport: { width: 1100, height: 620 } });
  page = await context.newPage();
  page.setDefaultTimeout(30_000);
});
afterEach(async () => {
  if (browserPath === null) return;
  await context.close();
});

const byId = (id: string) => page.getByTestId(id);
const turns = (state: string) => page.locator(`[data-testid=turn][data-state=${state}]`);

async function ask(at: Stack, text: string): Promise<void> {
  await page.goto(at.url);
  await page.getByLabel('Or paste a token').fill(await at.token(`user-${randomUUID()}`));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await byId('composer').fill(text);
  await byId('composer').press('Enter');
}

const chunks = ['The job ', 'is restarted ', 'with conman.'];

whenInstalled(subject, () => {
  test('an answer that is not stored yet stays, says so with the cause, and completes when it is', async () => {
    isGraphAway = true;
    stack.upstream.chat.enqueue(answer(chunks));
    await ask(stack, 'How do I restart a job?');
    await byId('not-stored').getByText('graph_unavailable').waitFor();
    expect(await byId('not-stored').textContent()).toContain('Not stored yet');
    expect(await byId('answer').textContent()).toBe(chunks.join(''));
    isGraphAway = false;
    await turns('completed').waitFor();
    expect(await byId('not-stored').count()).toBe(0);
    expect(await byId('answer').textContent()).toBe(chunks.join(''));
  });

  test('a turn that is terminated withdraws what it showed, says so, and can be asked again', async () => {
    const valve = createValve();
    stack.upstream.chat.enqueue(answer(chunks, { valve }), answer(chunks));
    await ask(stack, 'How do I restart a job?');
    valve.pass(1);
    await byId('answer').getByText('The job').waitFor();
    const link = (await byId('temporal-link').getAttribute('href')) ?? '';
    const [turnId] = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(link) ?? [''];
    await stack.client.workflow.getHandle(turnWorkflowId(turnId as TurnId)).terminate('a test');
    await turns('failed').getByText('terminated from outside').waitFor();
    expect(await byId('withdrawn').textContent()).toContain('at least 8 characters');
    expect(await byId('answer').count()).toBe(0);
    await page.reload();
    await turns('failed').waitFor();
    expect(await byId('answer').count()).toBe(0);
    await page.getByRole('button', { name: 'Ask again' }).click();
    await turns('completed').waitFor();
    expect(await byId('answer').textContent()).toBe(chunks.join(''));
    valve.open();
  });

  test('a retry tells cause, what was withdrawn and when it is tried again', async () => {
    stack.upstream.chat.enqueue(
      resetAfter(['Wrong beginning']),
      refuse(429, { error: { message: 'slow down', type: 'rate_limit', code: null } }, { 'retry-after': '3' }),
      answer(chunks),
    );
    await ask(stack, 'How do I restart a job?');
    await turns('waiting').getByText('withdrawn: 15 characters of attempt 1').waitFor();
    await turns('waiting').getByText('llm_rate_limited').waitFor();
    await turns('waiting')
      .getByText(/Next try in \d s/)
      .waitFor();
    await turns('completed').waitFor();
    expect(await byId('answer').textContent()).toBe(chunks.join(''));
  });

  test('a failure that asking again cannot cure says so', async () => {
    stack.upstream.chat.enqueue(refuse(401));
    await ask(stack, 'How do I restart a job?');
    await turns('failed').getByText('llm_auth').first().waitFor();
    await turns('failed').getByText('Asking again does not help').waitFor();
    expect(await page.getByRole('button', { name: 'Ask again' }).count()).toBe(0);
  });

  test('a stop shows its proof', async () => {
    const valve = createValve();
    stack.upstream.chat.enqueue(answer(chunks, { valve }));
    await ask(stack, 'How do I restart a job?');
    valve.pass(2);
    await byId('answer').getByText('is restarted').waitFor();
    await byId('stop').click();
    await turns('cancelled').waitFor();
    await byId('stopped')
      .getByText(/Stopped by you · asked at .* · model closed at .* · 0 characters after/)
      .waitFor();
    valve.open();
  });

  test('an answer that met its limit of length is marked', async () => {
    stack.upstream.chat.enqueue(answer(chunks, { finishReason: 'length' }));
    await ask(stack, 'How do I restart a job?');
    await turns('completed').waitFor();
    expect(await byId('incomplete').textContent()).toContain('limit of length');
  });

  test('a message without a worker says what it waits for and for how long', async () => {
    await ask(lonely, 'How do I restart a job?');
    await page.getByText('No worker answers at the moment').waitFor();
    await page.getByText(/for \d+ s/).waitFor();
  });
});
