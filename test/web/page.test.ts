// The page in a real browser, against a real gateway, worker, Temporal and Neo4j; only the model is the wire server. The
// model's chunks pass as the test lets them, so that «in the middle of an answer» is a place and not a time.

import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { parseKeySet } from '../../src/receipts/key-set.ts';
import { verifyDocument } from '../../src/receipts/verify.ts';
import { ensurePage } from '../../src/run/page.ts';
import { startStack, type Stack } from '../stack.ts';
import { answer, createValve, refuse, resetAfter, verdict } from '../../testing/upstream/upstream.ts';
import { findBrowser, launchBrowser } from './browser.ts';

const browserPath = await findBrowser(process.env);
const whenInstalled = browserPath === null ? describe.skip : describe;
const subject =
  browserPath === null
    ? 'the page (not tested: no browser on PATH; install chromium or set CHROMIUM_PATH)'
    : 'the page';

let stack: Stack;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  if (browserPath === null) return;
  stack = await startStack({ webDir: await ensurePage() });
  browser = await launchBrowser(browserPath);
});
afterAll(async () => {
  if (browserPath === null) return;
  await browser.close();
  await stack.close();
});

beforeEach(async () => {
  if (browserPath === null) return;
  context = await browser.newContext();
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
  complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) complaints.push(message.text());
  });
  await signIn(`user-${randomUUID()}`);
});
afterEach(async () => {
  if (browserPath === null) return;
  await context.close();
  expect(complaints).toEqual([]);
});

const byId = (id: string) => page.getByTestId(id);

async function signIn(user: string): Promise<void> {
  await page.goto(stack.url);
  await page.getByLabel('Or paste a token').fill(await stack.token(user));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await byId('composer').waitFor();
}

async function send(text: string): Promise<void> {
  await byId('composer').fill(text);
  await byId('composer').press('Enter');
}

const turns = (state: string) => page.locator(`[data-testid=turn][data-state=${state}]`);
/** The part of the browser's window that is asked from here: these tests are compiled without its types. */
interface PageWindow {
  readonly document: { querySelectorAll(selector: string): Iterable<{ readonly textContent: string }> };
}

/** Resolves when the text of the last answer is exactly this one. */
const untilAnswer = (text: string) =>
  page.waitForFunction((wanted) => {
    const { document } = globalThis as unknown as PageWindow;
    return [...document.querySelectorAll('[data-testid=answer]')].at(-1)?.textContent === wanted;
  }, text);
const attributes = async (of: Locator, name: string): Promise<(string | null)[]> =>
  Promise.all((await of.all()).map((element) => element.getAttribute(name)));

const chunks = ['The job ', 'is restarted ', 'with 🙂 ', 'its latest run, ', 'and its successors ', 'are held.'];
const whole = chunks.join('');

whenInstalled(subject, () => {
  test('streams an answer and comes back from two reloads in its middle without losing or doubling a character', async () => {
    const valve = createValve();
    stack.upstream.chat.enqueue(answer(chunks, { valve }));
    await send('How do I restart a job?');
    valve.pass(2);
    await untilAnswer('The job is restarted');
    await page.reload();
    await untilAnswer('The job is restarted');
    valve.pass(2);
    await untilAnswer('The job is restarted with 🙂 its latest run,');
    await page.reload();
    valve.open();
    await turns('completed').waitFor();
    await untilAnswer(whole);
    await page.reload();
    await untilAnswer(whole);
    expect(await byId('turn').count()).toBe(1);
  });

  test('shows the events, the receipt, the verdict and the link to Temporal UI', async () => {
    stack.upstream.chat.enqueue(answer(chunks));
    stack.upstream.audit.enqueue(verdict(false, 0.2, 'the runbook says so'));
    await send('How do I restart a job?');
    await turns('completed').waitFor();
    await page.locator('[data-testid=audit][data-verdict=accepted]').waitFor();
    await byId('details').click();
    const types = await attributes(page.locator('[data-testid=events] > li'), 'data-type');
    expect(types.filter((type) => type !== 'audit_completed')).toEqual([
      'turn_accepted',
      'agent_started',
      'agent_thinking',
      'agent_completed',
      'conversation_stored',
      'audit_started',
      'turn_completed',
    ]);
    await byId('tab-receipt').click();
    expect(await byId('receipt').textContent()).toContain(createHash('sha256').update(whole).digest('hex'));
    const download = page.waitForEvent('download');
    await byId('save-receipt').click();
    const saved = await (await download).path();
    const keys = await (await fetch(`${stack.url}/.well-known/candor-keys.json`)).text();
    const { receipts } = await verifyDocument(
      await readFile(saved, 'utf8'),
      await parseKeySet(keys),
      Buffer.from(whole),
    );
    expect(receipts).toMatchObject([{ verdict: 'valid', answer: 'fits' }]);
    expect(await byId('receipt-key').textContent()).toBe(receipts[0]?.kid);
    const link = await byId('temporal-link').getAttribute('href');
    expect(link).toMatch(/^http:\/\/127\.0\.0\.1:8233\/.+turn/);
  });

  test('shows the events of a finished turn after a reload, when they are asked for', async () => {
    stack.upstream.chat.enqueue(answer(chunks));
    await send('How do I restart a job?');
    await turns('completed').waitFor();
    await page.reload();
    await untilAnswer(whole);
    await byId('details').click();
    await page.locator('[data-testid=events] > [data-type=turn_completed]').waitFor();
    await untilAnswer(whole);
  });

  test('stops a turn and marks its partial text, also after a reload', async () => {
    const valve = createValve();
    stack.upstream.chat.enqueue(answer(chunks, { valve }));
    await send('How do I restart a job?');
    valve.pass(2);
    await untilAnswer('The job is restarted');
    await byId('stop').click();
    await turns('cancelled').waitFor();
    await untilAnswer('The job is restarted');
    await byId('stopped').waitFor();
    await page.reload();
    await turns('cancelled').waitFor();
    await untilAnswer('The job is restarted');
    await byId('stopped').waitFor();
  });

  test('takes back the text of a failed attempt, says so, and shows the next attempt alone', async () => {
    stack.upstream.chat.enqueue(resetAfter(['Wrong beginning']), answer(chunks));
    await send('How do I restart a job?');
    await turns('waiting').getByText('withdrawn: 15 characters of attempt 1').waitFor();
    await turns('completed').waitFor();
    await untilAnswer(whole);
    await byId('details').click();
    const failed = page.locator('[data-testid=events] > [data-type=attempt_failed]');
    expect(await failed.textContent()).toContain('llm_stream_truncated');
  });

  test('tells a failure in the gateway’s words with its code', async () => {
    stack.upstream.chat.enqueue(refuse(401));
    await send('How do I restart a job?');
    await turns('failed').getByText('refused the credentials').waitFor();
    await turns('failed').getByText('llm_auth').first().waitFor();
    expect(await byId('answer').count()).toBe(0);
  });

  test('queues a message while an answer runs, and withdraws it', async () => {
    const valve = createValve();
    stack.upstream.chat.enqueue(answer(chunks, { valve }));
    await send('First');
    valve.pass(1);
    await untilAnswer('The job');
    await send('Second');
    await turns('queued').waitFor();
    await byId('withdraw').click();
    await turns('cancelled').getByText('Withdrawn before it was answered').waitFor();
    valve.open();
    await turns('completed').waitFor();
    await untilAnswer(whole);
  });

  test('never makes markup of what a model writes', async () => {
    const hostile =
      '<img src=x onerror="window.hit=1"><script>window.hit=1</script>\n\n' +
      '[run](javascript:window.hit=1) ![pixel](https://example.invalid/p.png) [page](https://example.invalid/)';
    stack.upstream.chat.enqueue(answer(hostile));
    await send('How do I restart a job?');
    await turns('completed').waitFor();
    const answerText = byId('answer');
    expect(await answerText.textContent()).toContain('<script>window.hit=1</script>');
    expect(await answerText.locator('img, script').count()).toBe(0);
    const addresses = await attributes(answerText.locator('a'), 'href');
    expect(addresses).toEqual(['https://example.invalid/p.png', 'https://example.invalid/']);
    expect(await page.evaluate(() => 'hit' in globalThis)).toBe(false);
  });

  test('lists conversations, renames and deletes them', async () => {
    stack.upstream.chat.enqueue(answer(chunks));
    await send('How do I restart a job?');
    await turns('completed').waitFor();
    const item = byId('conversation-item');
    await item.hover();
    await item.getByRole('button', { name: /Rename or delete/ }).click();
    await page.getByRole('button', { name: 'Rename', exact: true }).click();
    await page.getByRole('textbox', { name: 'Title' }).fill('Restarts');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Restarts' }).waitFor();
    await page.reload();
    await item.getByText('Restarts', { exact: true }).waitFor();
    await item.hover();
    await item.getByRole('button', { name: /Rename or delete/ }).click();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('No conversations yet').waitFor();
  });
});
