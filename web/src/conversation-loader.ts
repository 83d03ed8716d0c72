// Brings what REST knows of conversations and turns into the page's model. The socket tells what happens; REST tells how
// it was before, and what events do not carry: titles, links, verdicts that came while nobody followed the turn.

import type { Clock, Outbox } from '../../src/client/index.ts';
import type { ConversationId } from '../../src/protocol/ids.ts';
import { withLoaded, withResource } from './conversation.ts';
import type { Conversations } from './conversations.ts';
import { RestError, type Rest } from './rest.ts';
import { auditOf, isEnd, isOver, stateOfTurn, type Turn } from './turn.ts';

export interface ConversationLoaderOptions {
  readonly rest: Rest;
  readonly outbox: Outbox;
  readonly conversations: Conversations;
  readonly clock: Clock;
  readonly isOpen: (id: ConversationId) => boolean;
  readonly onLoaded: (id: ConversationId) => void;
}

export interface ConversationLoader {
  load(id: ConversationId): Promise<void>;
  /** Asks for every turn of which REST knows more than its events told. */
  catchUp(id: ConversationId): Promise<void>;
  /**
   * Asks for missing verdicts, at growing intervals, as long as somebody looks at the conversation: whoever was not
   * connected when a verdict came gets no event of it.
   */
  askForVerdicts(id: ConversationId): Promise<void>;
  /** Marks a conversation as known to the graph; false when it was. */
  markLinked(id: ConversationId): boolean;
  close(): void;
}

const firstVerdictMs = 3_000;
const maxVerdictMs = 60_000;

export function createConversationLoader(options: ConversationLoaderOptions): ConversationLoader {
  const { rest, outbox, conversations, clock, isOpen, onLoaded } = options;
  const linked = new Set<ConversationId>();
  const timers = new Map<ConversationId, () => void>();
  let closed = false;

  const loadTurns = async (id: ConversationId, isWanted: (turn: Turn) => boolean): Promise<void> => {
    for (const { turnId } of conversations.find(id)?.turns.filter(isWanted) ?? []) {
      const resource = await rest.turn(turnId).catch(toNothing);
      if (closed || resource === null) continue;
      conversations.update(id, (known) => withResource(known, resource));
      if (linked.has(id) || isEnd(resource.state)) outbox.remove(turnId);
    }
  };

  const ask = async (id: ConversationId, delayMs: number): Promise<void> => {
    await loadTurns(id, awaitsVerdict);
    const isMissing = conversations.find(id)?.turns.some(awaitsVerdict) === true;
    if (closed || !isMissing || timers.has(id)) return;
    const cancel = clock.after(delayMs, () => {
      timers.delete(id);
      if (isOpen(id)) void ask(id, Math.min(delayMs * 2, maxVerdictMs));
    });
    timers.set(id, cancel);
  };

  return {
    async load(id) {
      try {
        const loaded = await rest.conversation(id);
        if (closed) return;
        for (const { turnId } of loaded.turns) outbox.remove(turnId);
        conversations.update(id, (known) => withLoaded(known, loaded));
        linked.add(id);
        onLoaded(id);
      } catch (error) {
        if (!(error instanceof RestError)) throw error;
        const { status, problem } = error;
        // Its first message may wait for being linked: the turn is real, the graph does not have it yet.
        const isLocal = (conversations.find(id)?.turns.length ?? 0) > 0;
        if (closed || status === 401 || (status === 404 && isLocal)) return;
        conversations.update(id, (known) => (known.load === 'loaded' ? known : { ...known, load: { problem } }));
      }
    },
    catchUp: (id) => loadTurns(id, isBehind),
    askForVerdicts: (id) => ask(id, firstVerdictMs),
    markLinked(id) {
      if (linked.has(id)) return false;
      linked.add(id);
      conversations.update(id, (known) => (known.load === 'new' ? { ...known, load: 'loaded' } : known));
      return true;
    },
    close() {
      closed = true;
      for (const cancel of timers.values()) cancel();
    },
  };
}

/** The turn's own events tell everything but what is asked for here; it is asked again at the next occasion. */
function toNothing(error: unknown): null {
  if (error instanceof RestError) return null;
  throw error;
}

/** REST has more to tell: the link to Temporal UI from the start, the outcome after the end. */
const isBehind = (turn: Turn): boolean =>
  stateOfTurn(turn) !== 'unsent' && (turn.resource === null || isOver(turn) !== isEnd(turn.resource.state));

const awaitsVerdict = (turn: Turn): boolean => isOver(turn) && auditOf(turn) === 'running';
