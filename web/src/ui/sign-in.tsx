// How to get in without a token: the printed address, or a token to paste.

import { useState, type FormEvent } from 'react';
import type { SessionState } from '../session.ts';
import { ProblemNote } from './problem-note.tsx';

interface SignInProps {
  readonly state: Extract<SessionState, { kind: 'signed-out' }>;
  /** False: it is no token. */
  readonly onToken: (token: string) => boolean;
}

export function SignIn({ state, onToken }: SignInProps) {
  const [token, setToken] = useState('');
  const [refused, setRefused] = useState(false);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setRefused(!onToken(token));
  };
  return (
    <main className="sign-in" data-testid="sign-in">
      <div className="sign-in-card">
        <img src="/candor.svg" alt="" width="44" height="44" />
        <h1>{state.ended ? 'Your session has ended' : 'Sign in to Candor'}</h1>
        {state.problem !== null && <ProblemNote problem={state.problem} />}
        <p>
          Run <code>npm start</code> and open the address that it prints. It ends in <code>#code=…</code> and works
          once.
        </p>
        {state.ended && (
          <p className="quiet">Messages that were not accepted yet are kept and sent after you sign in.</p>
        )}
        <form onSubmit={submit}>
          <label htmlFor="token">Or paste a token</label>
          <p className="quiet" id="token-hint">
            <code>npx --no-install candor token</code> prints one.
          </p>
          <div className="field-row">
            <input
              id="token"
              type="password"
              autoComplete="off"
              spellCheck={false}
              value={token}
              aria-describedby="token-hint"
              aria-invalid={refused}
              onChange={(event) => setToken(event.target.value)}
            />
            <button className="button primary" type="submit" disabled={token.trim() === ''}>
              Sign in
            </button>
          </div>
          {refused && (
            <p className="field-error" role="alert">
              This is not a token: a token has three parts with dots between them.
            </p>
          )}
        </form>
      </div>
    </main>
  );
}
