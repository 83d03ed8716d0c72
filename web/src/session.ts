// Who is signed in. The token outlives a reload and a second tab because the code it came from works only once.

import { parseClaims, type KeyValueStore } from '../../src/client/index.ts';
import type { UserId } from '../../src/protocol/ids.ts';
import type { Problem, Rest } from './rest.ts';
import { RestError } from './rest.ts';
import type { SessionResource } from './resources.ts';
import { createObservable, type Observable } from './observable.ts';

export type SessionState =
  | { readonly kind: 'signing-in' }
  | { readonly kind: 'signed-in'; readonly token: string; readonly user: UserId }
  /** `ended`: a session that was open is not accepted any more. */
  | { readonly kind: 'signed-out'; readonly ended: boolean; readonly problem: Problem | null };

export interface Session extends Observable<SessionState> {
  token(): string | null;
  /** Takes the once-code of the printed address when there is one, else the stored token. */
  begin(fragment: string, exchange: Rest['exchangeCode']): Promise<void>;
  /** False: this is no token. */
  paste(token: string): boolean;
  end(): void;
  signOut(): void;
}

const storageKey = 'candor.session';

export function createSession(storage: KeyValueStore, nowMs: () => number): Session {
  const state = createObservable<SessionState>({ kind: 'signing-in' });

  const accept = (session: SessionResource): void => {
    storage.setItem(storageKey, JSON.stringify(session));
    state.set({ kind: 'signed-in', token: session.token, user: session.user });
  };
  const leave = (ended: boolean, problem: Problem | null): void => {
    storage.removeItem(storageKey);
    state.set({ kind: 'signed-out', ended, problem });
  };
  const restore = (): void => {
    const stored = readStored(storage);
    if (stored === null) return leave(false, null);
    if (Date.parse(stored.expiresAt) <= nowMs()) return leave(true, null);
    state.set({ kind: 'signed-in', token: stored.token, user: stored.user });
  };

  return {
    get: state.get,
    subscribe: state.subscribe,
    token: () => {
      const now = state.get();
      return now.kind === 'signed-in' ? now.token : null;
    },
    async begin(fragment, exchange) {
      const code = parseCode(fragment);
      if (code === null) return restore();
      try {
        accept(await exchange(code));
      } catch (error) {
        if (!(error instanceof RestError)) throw error;
        // A code that was used already is no reason to lose the session it had opened.
        if (readStored(storage) === null) leave(false, error.problem);
        else restore();
      }
    },
    paste(token) {
      const claims = parseClaims(token);
      if (claims === null) return false;
      const expiresAt = new Date(claims.expiresAtMs ?? nowMs() + 24 * 60 * 60_000).toISOString();
      accept({ token: token.trim(), expiresAt, user: claims.user as UserId });
      return true;
    },
    end: () => leave(true, null),
    signOut: () => leave(false, null),
  };
}

/** The once-code of an address like `/#code=…`; `null` when it has none. */
export function parseCode(fragment: string): string | null {
  const code = new URLSearchParams(fragment.replace(/^#/, '')).get('code');
  return code === null || code === '' ? null : code;
}

function readStored(storage: KeyValueStore): SessionResource | null {
  const text = storage.getItem(storageKey);
  return text === null ? null : (JSON.parse(text) as SessionResource);
}
