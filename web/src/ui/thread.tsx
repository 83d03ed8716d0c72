// The open conversation. Stays at the end while text arrives, unless the reader has scrolled away.

import { ArrowDown } from 'lucide-react';
import { useStickToBottom } from 'use-stick-to-bottom';
import type { Chat } from '../chat.ts';
import type { ChatState } from '../chat-state.ts';
import type { Conversation } from '../conversation.ts';
import { Announcer } from './announcer.tsx';
import { ProblemNote } from './problem-note.tsx';
import { TurnView } from './turn-view.tsx';
import { Welcome } from './welcome.tsx';

interface ThreadProps {
  readonly chat: Chat;
  readonly state: ChatState;
  readonly conversation: Conversation | null;
}

export function Thread({ chat, state, conversation }: ThreadProps) {
  const { scrollRef, contentRef, isAtBottom, scrollToBottom } = useStickToBottom({
    initial: 'instant',
    resize: 'instant',
  });
  if (conversation === null) return <Welcome chat={chat} state={state} />;
  const { load, turns } = conversation;
  return (
    <div className="thread-frame">
      <div className="thread" ref={scrollRef} tabIndex={0} role="region" aria-label="Messages">
        <div className="thread-content" ref={contentRef}>
          {load === 'loading' && <ThreadSkeleton />}
          {typeof load === 'object' && (
            <ProblemNote problem={load.problem}>
              <button type="button" className="button small" onClick={() => chat.reload(conversation.conversationId)}>
                Try again
              </button>
            </ProblemNote>
          )}
          {turns.map((turn) => (
            <TurnView key={turn.turnId} chat={chat} turn={turn} status={state.status} />
          ))}
        </div>
      </div>
      {!isAtBottom && turns.length > 0 && (
        <button type="button" className="to-end" aria-label="Go to the end" onClick={() => void scrollToBottom()}>
          <ArrowDown size={17} aria-hidden="true" />
        </button>
      )}
      <Announcer turns={turns} />
    </div>
  );
}

function ThreadSkeleton() {
  return (
    <div className="skeleton" role="status" aria-label="Loading the conversation">
      <span className="skeleton-question" />
      <span />
      <span />
      <span />
    </div>
  );
}
