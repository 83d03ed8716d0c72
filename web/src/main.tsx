// Entry of the page: builds the session and the chat from the browser's own parts and hands them to React. Everything
// that touches a global of the browser is here, so that the rest runs in tests as it is.

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createStorageOutbox, systemClock } from '../../src/client/index.ts';
import { createChat, type Chat } from './chat.ts';
import { createRest } from './rest.ts';
import { createSession, parseCode } from './session.ts';
import { parsePlace, toFragment } from './place.ts';
import { App } from './ui/app.tsx';
import './style/index.css';

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
    url: location.origin,
    token: state.token,
    outbox: createStorageOutbox(localStorage, state.user),
    clock: systemClock,
    random: Math.random,
    schedule,
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
