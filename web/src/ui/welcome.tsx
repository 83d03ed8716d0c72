// A conversation before its first message: who answers, and what can be relied on.

import type { Chat } from '../chat.ts';
import type { ChatState } from '../chat-state.ts';

interface WelcomeProps {
  readonly chat: Chat;
  readonly state: ChatState;
}

export function Welcome({ chat, state }: WelcomeProps) {
  const { agents, agentId } = state;
  const chosen = agents.find(({ id }) => id === agentId);
  return (
    <div className="welcome">
      <div className="welcome-content">
        <img src="/candor.svg" alt="" width="52" height="52" />
        <h2>{chosen === undefined ? 'What do you want to know?' : chosen.name}</h2>
        {chosen !== undefined && <p>{chosen.description}</p>}
        {agents.length > 1 && (
          <fieldset className="agent-choice">
            <legend className="visually-hidden">Agent</legend>
            {agents.map(({ id, name, model }) => (
              <label key={id} data-checked={id === agentId}>
                <input
                  type="radio"
                  name="agent"
                  value={id}
                  checked={id === agentId}
                  onChange={() => chat.chooseAgent(id)}
                />
                <span>{name}</span>
                <span className="quiet">{model}</span>
              </label>
            ))}
          </fieldset>
        )}
        <p className="promise quiet">
          You see what the model really returned, or an explicit error. Every answer comes with its events and a
          receipt.
        </p>
      </div>
    </div>
  );
}
