// The turns of the open conversation in the order in which they are shown: one is on the screen's lower part until it is
// over, the others wait behind it, and those that are over may still get their verdict.

import type { CandorClientError, TurnHandle } from '../../client/index.ts';
import type { AuditCompleted, AuditFailed } from '../../protocol/events.ts';
import { terminalOf } from '../../protocol/transcript.ts';

export interface ShownTurn {
  readonly handle: TurnHandle;
  /** Written here; `null`: on another device, whose words come with its first event. */
  readonly text: string | null;
  /** When it came onto the screen. */
  readonly sinceMs: number;
  /** Why it is over without a terminal event. */
  readonly failure: CandorClientError | null;
}

export interface ShownTurns {
  /** On the screen; `null`: nothing is under way. */
  readonly current: ShownTurn | null;
  readonly waiting: readonly ShownTurn[];
  /** Known turns change nothing. */
  add(handle: TurnHandle, text: string | null): void;
  /** Nothing of them is told any more. */
  clear(): void;
}

export interface ShownTurnsOptions {
  readonly nowMs: () => number;
  readonly onChange: () => void;
  /** It was the current one. */
  readonly onOver: (turn: ShownTurn) => void;
  readonly onVerdict: (turn: ShownTurn, verdict: AuditCompleted | AuditFailed) => void;
}

const isOver = ({ handle, failure }: ShownTurn): boolean => failure !== null || terminalOf(handle.transcript) !== null;

export const questionOf = ({ handle, text }: ShownTurn): string => {
  const [first] = handle.transcript.log;
  return first?.type === 'turn_accepted' ? first.text : (text ?? '');
};

export function createShownTurns({ nowMs, onChange, onOver, onVerdict }: ShownTurnsOptions): ShownTurns {
  let turns: readonly ShownTurn[] = [];
  let unsubscribe: (() => void)[] = [];
  /** Of each call to `clear`: what belongs to an earlier conversation is not heard any more. */
  let generation = 0;
  const known = new Set<string>();
  const told = new Set<string>();

  const settle = (): void => {
    for (let first = turns[0]; first !== undefined && isOver(first); first = turns[0]) {
      turns = turns.slice(1);
      onOver(first);
      const [next] = turns;
      if (next !== undefined) turns = [{ ...next, sinceMs: nowMs() }, ...turns.slice(1)];
    }
    onChange();
  };

  return {
    get current() {
      return turns[0] ?? null;
    },
    get waiting() {
      return turns.slice(1);
    },
    add(handle, text) {
      if (known.has(handle.turnId)) return;
      known.add(handle.turnId);
      const own = generation;
      const turn: ShownTurn = { handle, text, sinceMs: nowMs(), failure: null };
      turns = [...turns, turn];
      const tellVerdict = (): void => {
        const { audit } = handle.transcript;
        if (audit === null || told.has(audit.auditId) || terminalOf(handle.transcript) === null) return;
        told.add(audit.auditId);
        onVerdict(turn, audit);
      };
      unsubscribe.push(
        handle.subscribe(() => {
          settle();
          tellVerdict();
        }),
      );
      handle.ended.catch((failure: CandorClientError) => {
        if (own !== generation) return;
        turns = turns.map((one) => (one.handle === handle ? { ...one, failure } : one));
        settle();
      });
      settle();
    },
    clear() {
      generation += 1;
      for (const end of unsubscribe) end();
      unsubscribe = [];
      turns = [];
      known.clear();
    },
  };
}
