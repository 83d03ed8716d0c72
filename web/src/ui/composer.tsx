// Where messages are written. Enter sends, Shift+Enter breaks the line; while an answer runs, messages queue up.

import { ArrowUp, Square } from 'lucide-react';
import { useEffect, useRef, useState, type FormEvent, type KeyboardEvent } from 'react';
import TextareaAutosize from 'react-textarea-autosize';
import { maxMessageLength } from '../../../src/protocol/limits.ts';
import type { Chat } from '../chat.ts';
import { runningTurn, type Conversation } from '../conversation.ts';
import { count } from '../wording.ts';

interface ComposerProps {
  readonly chat: Chat;
  readonly conversation: Conversation | null;
  readonly small: boolean;
}

/** From here on the length is shown. */
const nearLimit = maxMessageLength * 0.9;

export function Composer({ chat, conversation, small }: ComposerProps) {
  const [text, setText] = useState('');
  const field = useRef<HTMLTextAreaElement>(null);
  const running = conversation === null ? null : runningTurn(conversation);
  const tooLong = text.length > maxMessageLength;
  const canSend = text.trim() !== '' && !tooLong;
  const conversationId = conversation?.conversationId ?? null;

  useEffect(() => {
    // On a phone focus would raise the keyboard over what is to be read.
    if (matchMedia('(hover: hover)').matches) field.current?.focus();
  }, [conversationId]);

  const send = (event?: FormEvent): void => {
    event?.preventDefault();
    if (!canSend) return;
    chat.send(text);
    setText('');
    field.current?.focus();
  };
  const sendOnEnter = (event: KeyboardEvent): void => {
    // While an input method composes, Enter chooses a word.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };

  return (
    <form className="composer" onSubmit={send}>
      <div className="composer-box" data-invalid={tooLong}>
        <label className="visually-hidden" htmlFor="composer">
          Message
        </label>
        <TextareaAutosize
          ref={field}
          id="composer"
          data-testid="composer"
          value={text}
          minRows={1}
          maxRows={10}
          placeholder={running === null ? 'Write a message' : 'Write the next message'}
          aria-describedby="composer-hint"
          aria-invalid={tooLong}
          enterKeyHint="send"
          onChange={(event) => setText(event.target.value)}
          onKeyDown={sendOnEnter}
        />
        <div className="composer-buttons">
          {running !== null && (
            <button
              type="button"
              className="round-button stop"
              data-testid="stop"
              aria-label={running.stopRequested ? 'Stopping' : 'Stop'}
              title="Stop the answer"
              disabled={running.stopRequested}
              onClick={() => chat.stop(running.turnId)}
            >
              <Square size={13} fill="currentColor" aria-hidden="true" />
            </button>
          )}
          <button
            type="submit"
            className="round-button send"
            data-testid="send"
            aria-label={running === null ? 'Send' : 'Send into the queue'}
            title={running === null ? 'Send' : 'Is answered after the present one'}
            disabled={!canSend}
          >
            <ArrowUp size={18} aria-hidden="true" />
          </button>
        </div>
      </div>
      <p className="composer-hint" id="composer-hint">
        {text.length >= nearLimit ? (
          <span className={tooLong ? 'over' : undefined} role={tooLong ? 'alert' : undefined}>
            {count(text.length, 'character')} of at most {maxMessageLength.toLocaleString('en')}
          </span>
        ) : (
          <span>
            {small
              ? 'Answers come from a small local model; check what matters.'
              : 'Enter sends, Shift + Enter starts a new line.'}
          </span>
        )}
      </p>
    </form>
  );
}
