// Signed in: the workspace. Otherwise: how to get in.

import type { Chat } from '../chat.ts';
import type { Session } from '../session.ts';
import { SignIn } from './sign-in.tsx';
import { useObservable } from './use-observable.ts';
import { Workspace } from './workspace.tsx';

export interface AppProps {
  readonly session: Session;
  readonly chatOf: () => Chat | null;
}

export function App({ session, chatOf }: AppProps) {
  const state = useObservable(session);
  const chat = chatOf();
  if (state.kind === 'signed-in' && chat !== null) {
    return <Workspace key={state.token} chat={chat} user={state.user} onSignOut={() => session.signOut()} />;
  }
  if (state.kind === 'signed-out') return <SignIn state={state} onToken={(token) => session.paste(token)} />;
  return <main className="sign-in" aria-busy="true" aria-label="Signing in" />;
}
