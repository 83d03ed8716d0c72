// Looks for the verdict of an ended turn in the graph. Where the audit runs in another process, its event reaches no
// lane here; the record is what everybody can find.

import { toAuditEvent } from '../protocol/audit.ts';
import { CandorError } from '../protocol/errors.ts';
import type { AuditCompleted, AuditFailed } from '../protocol/events.ts';
import type { TurnId } from '../protocol/ids.ts';
import type { ReadGraph } from '../protocol/ports.ts';
import { terminalOf, type Transcript } from '../protocol/transcript.ts';
import type { GatewayLog } from './gateway-log.ts';

export interface VerdictLook {
  /** Looks with growing pauses until there is one; again while it looks changes nothing. */
  begin(): void;
  end(): void;
}

export interface VerdictLookOptions {
  readonly graph: Pick<ReadGraph, 'turn'>;
  readonly log: GatewayLog;
  readonly turnId: TurnId;
  readonly found: (audit: AuditCompleted | AuditFailed) => void;
}

/** An audit takes seconds as a rule, and hours when its model is away. */
const pauses = { firstMs: 2_000, maxMs: 60_000 } as const;

/** The turn is over, its audit was begun, and nobody here has its verdict. */
export const awaitsVerdict = (transcript: Transcript): boolean =>
  transcript.audit === null &&
  terminalOf(transcript) !== null &&
  transcript.log.some((event) => event.type === 'audit_started');

export function createVerdictLook({ graph, log, turnId, found }: VerdictLookOptions): VerdictLook {
  let timer: NodeJS.Timeout | undefined;

  const look = async (): Promise<void> => {
    try {
      const turn = await graph.turn(turnId);
      if (turn?.audit == null) return;
      const { conversationId, audit } = turn;
      found(toAuditEvent({ ...audit, turnId, conversationId }, audit.recordedAt));
    } catch (error) {
      if (!(error instanceof CandorError)) throw error;
      log.warn({ turnId, code: error.code }, 'unable to look for the verdict of a turn; trying again');
    }
  };
  const lookAfter = (pauseMs: number): void => {
    const current = setTimeout(() => {
      void look()
        .catch((error: unknown) => log.error({ turnId, error }, 'a bug while a verdict was looked for'))
        .finally(() => {
          if (timer === current) lookAfter(Math.min(pauseMs * 2, pauses.maxMs));
        });
    }, pauseMs).unref();
    timer = current;
  };

  return {
    begin() {
      if (timer === undefined) lookAfter(pauses.firstMs);
    },
    end() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
