// Entry of the page: builds the session and the chat from the browser's own parts and hands them to React. Everything
// that touches a global of the browser is here, so that the rest runs in tests as it is.

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { v4 as uuid } from 'uuid';
import { createChat, type Chat } from './chat.ts';
import { createOutbox } from './outbox.ts';
import { createRest } from './rest.ts';
import { createSession, parseCode } from './session.ts';
import { toSubprotocols } from './token.ts';
import { parsePlace, toFragment } from './place.ts';
import { App } from './ui/app.tsx';
import type { Clock } from './socket.ts';
import './style/index.css';

const clock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

/** A hidden page has no frames; it is told at once. */
const schedule = (tell: () => void): void => {
  if (document.hidden) setTimeout(tell, 0);
  else requestAnimationFrame(tell);
};

const session = createSession(localStorage, () => Date.now());
const rest = createRest(
  (input, init) => fetch(input, init),
  () => session.token(),
  () => session.end(),
);

let chat: Chat | null = null;

const leaveChat = (): void => {
  chat?.close();
  chat = null;
};

const chatOf = (): Chat | null => {
  const state = session.get();
  if (state.kind !== 'signed-in') {
    leaveChat();
    return null;
  }
  if (chat !== null) return chat;
  const created = createChat({
    rest,
    outbox: createOutbox(localStorage, state.user),
    clock,
    random: Math.random,
    schedule,
    newId: () => uuid(),
    open: (agentId, listener) => {
      const address = new URL(`/ws/${agentId}`, location.origin.replace(/^http/, 'ws'));
      const socket = new WebSocket(address, [...toSubprotocols(state.token)]);
      socket.onmessage = ({ data }: MessageEvent<string>) => listener.onMessage(data);
      socket.onclose = ({ code }) => listener.onClose(code);
      return { send: (data) => socket.send(data), close: () => socket.close() };
    },
    onUnauthenticated: () => session.end(),
    onOpened: (id) => history.pushState(null, '', toFragment(id)),
  });
  created.open(parsePlace(location.hash));
  chat = created;
  return created;
};

/** Also run when a new printed address is opened in a tab that shows the page already: only the fragment changes. */
const arrive = (): void => {
  const fragment = location.hash;
  if (parseCode(fragment) === null) {
    chat?.open(parsePlace(fragment));
    return;
  }
  // The code must not stay in the history of the browser, nor in a copied address.
  history.replaceState(null, '', location.pathname);
  void session.begin(fragment, (code) => rest.exchangeCode(code));
};

addEventListener('hashchange', arrive);
addEventListener('popstate', arrive);
addEventListener('online', () => chat?.reconnectNow());
document.addEventListener('visibilitychange', () => {
  if (document.hidden) return;
  chat?.reconnectNow();
  chat?.refresh();
});

const container = document.getElementById('root');
if (container === null) throw new Error('unable to start the page; index.html has no element with the id root');
createRoot(container).render(
  <StrictMode>
    <App session={session} chatOf={chatOf} />
  </StrictMode>,
);
if (parseCode(location.hash) === null) void session.begin('', (code) => rest.exchangeCode(code));
arrive();
