// The signed-in page: conversations on the left, the open one in the middle. On a phone the list is a drawer.

import { Menu, PanelLeft, SquarePen } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { Chat } from '../chat.ts';
import { titleOf } from '../conversation.ts';
import { toFragment } from '../place.ts';
import { ConnectionNote } from './connection-note.tsx';
import { Composer } from './composer.tsx';
import { ModelNote } from './model-note.tsx';
import { ProblemNote } from './problem-note.tsx';
import { Sidebar } from './sidebar.tsx';
import { Thread } from './thread.tsx';
import { useObservable } from './use-observable.ts';

interface WorkspaceProps {
  readonly chat: Chat;
  readonly user: string;
  readonly onSignOut: () => void;
}

export function Workspace({ chat, user, onSignOut }: WorkspaceProps) {
  const state = useObservable(chat);
  const conversations = useObservable(chat.conversations);
  const [drawerOpen, setDrawerOpen] = useState(false);
  const [sidebarHidden, setSidebarHidden] = useState(false);
  const menuButton = useRef<HTMLButtonElement>(null);
  const { openId, agents, notice } = state;
  const open = openId === null ? null : (conversations.get(openId) ?? null);
  const agentId = open?.agentId ?? state.agentId;
  const agent = agents.find(({ id }) => id === agentId);
  const title = open === null ? null : titleOf(open);

  useEffect(() => {
    document.title = title === null ? 'Candor' : `${title} – Candor`;
  }, [title]);

  // Escape and a choice close the drawer and give the focus back to where it was opened.
  const closeDrawer = (): void => {
    if (!drawerOpen) return;
    setDrawerOpen(false);
    menuButton.current?.focus();
  };
  useEffect(() => setDrawerOpen(false), [openId]);

  return (
    <div className="workspace" data-drawer={drawerOpen} data-sidebar={sidebarHidden ? 'hidden' : 'shown'}>
      <a className="skip-link" href="#composer" onClick={focusComposer}>
        Skip to the message field
      </a>
      <Sidebar
        chat={chat}
        state={state}
        conversations={conversations}
        user={user}
        onSignOut={onSignOut}
        onClose={closeDrawer}
        onHide={() => setSidebarHidden(true)}
      />
      <div className="drawer-shade" aria-hidden="true" onClick={closeDrawer} />
      <main className="main" inert={drawerOpen}>
        <header className="main-header">
          <button
            ref={menuButton}
            type="button"
            className="icon-button menu-button"
            aria-label="Show conversations"
            aria-expanded={drawerOpen}
            onClick={() => setDrawerOpen(true)}
          >
            <Menu size={19} aria-hidden="true" />
          </button>
          {sidebarHidden && (
            <button
              type="button"
              className="icon-button show-sidebar"
              aria-label="Show conversations"
              onClick={() => setSidebarHidden(false)}
            >
              <PanelLeft size={18} aria-hidden="true" />
            </button>
          )}
          <div className="main-title">
            <h1>{title ?? 'New conversation'}</h1>
            {agent !== undefined && open !== null && (
              <p className="quiet">
                {agent.name} · {agent.model}
              </p>
            )}
          </div>
          <a className="icon-button new-small" href={toFragment(null)} aria-label="New conversation">
            <SquarePen size={18} aria-hidden="true" />
          </a>
        </header>
        <Thread key={openId ?? 'new'} chat={chat} state={state} conversation={open} />
        <div className="dock">
          {notice !== null && (
            <ProblemNote problem={notice}>
              <button type="button" className="button small" onClick={() => chat.dismissNotice()}>
                Dismiss
              </button>
            </ProblemNote>
          )}
          <ConnectionNote state={state.connections.get(agentId)} onReconnect={() => chat.reconnectNow()} />
          <ModelNote status={state.status} />
          <Composer chat={chat} conversation={open} small={state.status?.model.small === true} />
        </div>
      </main>
    </div>
  );
}

function focusComposer(event: React.MouseEvent): void {
  event.preventDefault();
  document.getElementById('composer')?.focus();
}
