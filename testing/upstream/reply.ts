// Plays one behaviour on a response: the chat-completions protocol as a real server speaks it, and its faults.

import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Behaviour, WireUsage } from './behaviours.ts';
import type { OpenCall } from './call-log.ts';

type Answer = Extract<Behaviour, { kind: 'answer' }>;

/** Resolves when the behaviour has been played or the connection is gone; `gone` aborts when it is. */
export async function play(
  behaviour: Behaviour,
  call: OpenCall,
  response: ServerResponse,
  gone: AbortSignal,
): Promise<void> {
  switch (behaviour.kind) {
    case 'mute':
      return;
    case 'hangUp':
      call.broke();
      response.destroy();
      return;
    case 'refuse': {
      const text = typeof behaviour.body === 'string' ? behaviour.body : JSON.stringify(behaviour.body);
      const type = typeof behaviour.body === 'string' ? 'text/plain' : 'application/json';
      response.writeHead(behaviour.status, { 'content-type': type, ...behaviour.headers });
      call.ended();
      response.end(text);
      return;
    }
    case 'answer':
      if (call.record.body.stream === true) await playStream(behaviour, call, response, gone);
      else playWhole(behaviour, call, response);
  }
}

function playWhole(behaviour: Answer, call: OpenCall, response: ServerResponse): void {
  const { n, body } = call.record;
  const content = behaviour.chunks.join('');
  response.writeHead(200, { 'content-type': 'application/json', 'x-request-id': `req-${n}`, ...behaviour.headers });
  for (const chunk of behaviour.chunks) {
    call.offers(chunk);
    call.wrote(chunk);
  }
  call.finished();
  call.ended();
  response.end(
    JSON.stringify({
      id: `chatcmpl-${n}`,
      object: 'chat.completion',
      created: seconds(),
      model: behaviour.model ?? body.model,
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: behaviour.finishReason ?? 'stop' }],
      ...(behaviour.usage === null ? {} : { usage: usageOf(behaviour) }),
    }),
  );
}

async function playStream(
  behaviour: Answer,
  call: OpenCall,
  response: ServerResponse,
  gone: AbortSignal,
): Promise<void> {
  const { n, body } = call.record;
  const send = async (choices: unknown, usage?: WireUsage): Promise<void> => {
    const chunk = {
      id: `chatcmpl-${n}`,
      object: 'chat.completion.chunk',
      created: seconds(),
      model: behaviour.model ?? body.model,
      choices,
      ...(usage === undefined ? {} : { usage }),
    };
    await write(response, `data: ${JSON.stringify(chunk)}\n\n`, gone);
  };
  const sendDelta = (delta: object, finishReason: string | null = null): Promise<void> =>
    send([{ index: 0, delta, finish_reason: finishReason }]);

  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'x-request-id': `req-${n}`,
    ...behaviour.headers,
  });
  response.flushHeaders();

  const reasoning = behaviour.reasoning ?? [];
  const { fault } = behaviour;
  if (behaviour.chunks.length > 0 || reasoning.length > 0 || fault === undefined || fault === 'stall') {
    await sendDelta({ role: 'assistant', content: '' });
  }
  const startedAt = performance.now();
  let sent = 0;
  const pass = async (): Promise<void> => {
    gone.throwIfAborted();
    if (behaviour.valve !== undefined) await orGone(behaviour.valve.next(), gone);
    if (behaviour.paceMs !== undefined) {
      const waitMs = startedAt + sent * behaviour.paceMs - performance.now();
      if (waitMs > 0) await delay(waitMs, undefined, { signal: gone });
    }
    gone.throwIfAborted();
    sent += 1;
  };
  for (const text of reasoning) {
    await pass();
    await sendDelta({ [behaviour.reasoningField ?? 'reasoning_content']: text });
  }
  for (const text of behaviour.chunks) {
    await pass();
    call.offers(text);
    await sendDelta({ content: text });
    call.wrote(text);
  }

  if (fault === 'silence') return;
  if (fault === 'reset') {
    call.broke();
    response.destroy();
    return;
  }
  if (fault === 'end' || (typeof fault === 'object' && fault.bytes.length > 0)) {
    call.ended();
    response.end(typeof fault === 'object' ? fault.bytes : undefined);
    return;
  }
  call.finished();
  await sendDelta({}, behaviour.finishReason ?? 'stop');
  if (fault === 'stall') return;
  if (body.stream_options?.include_usage === true && behaviour.usage !== null) await send([], usageOf(behaviour));
  call.ended();
  response.end('data: [DONE]\n\n');
}

/** Waits until the text has left for the socket, so that a chunk counts as written only when it really was. */
async function write(response: ServerResponse, text: string, gone: AbortSignal): Promise<void> {
  gone.throwIfAborted();
  await orGone(new Promise<void>((resolve) => response.write(text, () => resolve())), gone);
  gone.throwIfAborted();
}

async function orGone(wait: Promise<void>, gone: AbortSignal): Promise<void> {
  let leave: (() => void) | undefined;
  const left = new Promise<void>((resolve) => {
    leave = resolve;
    gone.addEventListener('abort', leave, { once: true });
  });
  await Promise.race([wait, left]);
  if (leave !== undefined) gone.removeEventListener('abort', leave);
}

const seconds = (): number => Math.floor(Date.now() / 1000);

function usageOf(behaviour: Answer): WireUsage {
  if (behaviour.usage) return behaviour.usage;
  const completion = behaviour.chunks.length + (behaviour.reasoning?.length ?? 0);
  return { prompt_tokens: 7, completion_tokens: completion, total_tokens: 7 + completion };
}
