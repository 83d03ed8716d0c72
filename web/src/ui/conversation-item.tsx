// One conversation in the list: open, rename in place, delete after a question.

import { Check, Ellipsis, Pencil, Trash2, X } from 'lucide-react';
import { useId, useRef, useState, type FormEvent, type KeyboardEvent } from 'react';
import { toFragment } from '../place.ts';
import type { ConversationResource } from '../resources.ts';

interface ConversationItemProps {
  readonly item: ConversationResource;
  readonly isOpen: boolean;
  readonly isBusy: boolean;
  readonly onOpen: () => void;
  readonly onRename: (title: string) => void;
  readonly onRemove: () => void;
}

export function ConversationItem({ item, isOpen, isBusy, onOpen, onRename, onRemove }: ConversationItemProps) {
  const [mode, setMode] = useState<'shown' | 'renaming'>('shown');
  const menuId = useId();
  const menu = useRef<HTMLDivElement>(null);
  const menuButton = useRef<HTMLButtonElement>(null);
  const question = useRef<HTMLDialogElement>(null);
  const title = item.title === '' ? 'Untitled' : item.title;

  const choose = (action: () => void) => () => {
    menu.current?.hidePopover();
    action();
  };
  if (mode === 'renaming') {
    const done = (): void => {
      setMode('shown');
      requestAnimationFrame(() => menuButton.current?.focus());
    };
    return <RenameForm title={item.title} onDone={done} onRename={onRename} />;
  }
  return (
    <li className="conversation-item" data-open={isOpen} data-testid="conversation-item">
      <a
        href={toFragment(item.conversationId)}
        aria-current={isOpen ? 'page' : undefined}
        onClick={onOpen}
        title={title}
      >
        <span className="conversation-title">{title}</span>
        {isBusy && <span className="busy-dot" role="img" aria-label="Being answered" />}
      </a>
      <button
        ref={menuButton}
        type="button"
        className="icon-button item-menu"
        aria-label={`Rename or delete ${title}`}
        popoverTarget={menuId}
        style={{ anchorName: anchorOf(menuId) }}
      >
        <Ellipsis size={16} aria-hidden="true" />
      </button>
      <div ref={menu} id={menuId} popover="auto" className="menu" style={{ positionAnchor: anchorOf(menuId) }}>
        <button type="button" onClick={choose(() => setMode('renaming'))}>
          <Pencil size={15} aria-hidden="true" /> Rename
        </button>
        <button type="button" className="danger" onClick={choose(() => question.current?.showModal())}>
          <Trash2 size={15} aria-hidden="true" /> Delete
        </button>
      </div>
      <dialog ref={question} className="dialog" aria-labelledby={`${menuId}-question`}>
        <form method="dialog">
          <h2 id={`${menuId}-question`}>Delete this conversation?</h2>
          <p>“{title}” and its answers are removed. This cannot be undone.</p>
          <div className="dialog-actions">
            <button className="button" autoFocus>
              Keep
            </button>
            <button className="button danger" onClick={onRemove}>
              Delete
            </button>
          </div>
        </form>
      </dialog>
    </li>
  );
}

const anchorOf = (id: string): string => `--menu-${id.replace(/\W/g, '')}`;

interface RenameFormProps {
  readonly title: string;
  readonly onDone: () => void;
  readonly onRename: (title: string) => void;
}

function RenameForm({ title, onDone, onRename }: RenameFormProps) {
  const [text, setText] = useState(title);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const next = text.trim();
    if (next !== '' && next !== title) onRename(next);
    onDone();
  };
  const cancelOnEscape = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    onDone();
  };
  return (
    <li className="conversation-item renaming" data-testid="conversation-item">
      <form onSubmit={submit} onKeyDown={cancelOnEscape}>
        <input
          aria-label="Title"
          value={text}
          maxLength={200}
          autoFocus
          onFocus={(event) => event.target.select()}
          onChange={(event) => setText(event.target.value)}
        />
        <button type="submit" className="icon-button" aria-label="Save title">
          <Check size={16} aria-hidden="true" />
        </button>
        <button type="button" className="icon-button" aria-label="Keep the old title" onClick={onDone}>
          <X size={16} aria-hidden="true" />
        </button>
      </form>
    </li>
  );
}
