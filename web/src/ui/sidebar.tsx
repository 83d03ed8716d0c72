// The list of conversations.

import { LogOut, PanelLeftClose, SquarePen } from 'lucide-react';
import type { KeyboardEvent } from 'react';
import type { Chat } from '../chat.ts';
import type { ChatState } from '../chat-state.ts';
import { openTurns, titleOf } from '../conversation.ts';
import type { ConversationMap } from '../conversations.ts';
import { toFragment } from '../place.ts';
import type { ConversationResource } from '../resources.ts';
import { ConversationItem } from './conversation-item.tsx';
import { ProblemNote } from './problem-note.tsx';

interface SidebarProps {
  readonly chat: Chat;
  readonly state: ChatState;
  readonly conversations: ConversationMap;
  readonly user: string;
  readonly onSignOut: () => void;
  readonly onClose: () => void;
  readonly onHide: () => void;
}

export function Sidebar({ chat, state, conversations, user, onSignOut, onClose, onHide }: SidebarProps) {
  const items = withLocal(state.items, conversations);
  const closeOnEscape = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') onClose();
  };
  return (
    <nav className="sidebar" aria-label="Conversations" onKeyDown={closeOnEscape}>
      <div className="sidebar-top">
        <span className="brand">
          <img src="/candor.svg" alt="" width="24" height="24" />
          Candor
        </span>
        <button type="button" className="icon-button hide-sidebar" aria-label="Hide conversations" onClick={onHide}>
          <PanelLeftClose size={18} aria-hidden="true" />
        </button>
      </div>
      <a className="button new-conversation" href={toFragment(null)} onClick={onClose} data-testid="new-conversation">
        <SquarePen size={16} aria-hidden="true" />
        New conversation
      </a>
      <div className="conversation-list">
        {typeof state.listState === 'object' && <ProblemNote problem={state.listState.problem} />}
        <ul>
          {items.map((item) => {
            const known = conversations.get(item.conversationId);
            return (
              <ConversationItem
                key={item.conversationId}
                item={item}
                isOpen={item.conversationId === state.openId}
                isBusy={known !== undefined && openTurns(known).length > 0}
                onRename={(title) => void chat.rename(item.conversationId, title)}
                onRemove={() => void chat.remove(item.conversationId)}
                onOpen={onClose}
              />
            );
          })}
        </ul>
        {items.length === 0 && state.listState === 'ready' && <p className="quiet empty-list">No conversations yet</p>}
        {state.next !== null && (
          <button type="button" className="button small ghost" onClick={() => void chat.loadMore()}>
            Show older
          </button>
        )}
      </div>
      <div className="sidebar-foot">
        <span className="user" title={`Signed in as ${user}`}>
          <span className="avatar" aria-hidden="true">
            {user.charAt(0).toUpperCase()}
          </span>
          <span className="user-name">{user}</span>
        </span>
        <button type="button" className="icon-button" aria-label="Sign out" onClick={onSignOut}>
          <LogOut size={17} aria-hidden="true" />
        </button>
      </div>
    </nav>
  );
}

/** Conversations whose first message the graph does not have yet come first. */
function withLocal(
  items: readonly ConversationResource[],
  conversations: ConversationMap,
): readonly ConversationResource[] {
  const listed = new Set(items.map(({ conversationId }) => conversationId));
  const local = [...conversations.values()]
    .filter(({ conversationId, load, turns }) => load === 'new' && turns.length > 0 && !listed.has(conversationId))
    .map((conversation): ConversationResource => {
      const { conversationId, agentId } = conversation;
      return { conversationId, agentId, title: titleOf(conversation) ?? '', leaf: null, updatedAt: '' };
    });
  return [...local.reverse(), ...items];
}
