// Writes the end of a turn into the graph. The answer stands once in history, in the model call's result: it is asked of
// the turn's own workflow here, so that a long answer does not make the history longer twice.

import { Context } from '@temporalio/activity';
import type { StoreConversationInput, StoreConversationResult } from '../protocol/activities.ts';
import { toCanonicalJson } from '../protocol/canonical.ts';
import { closingEvents, type TerminalDraft } from '../protocol/closing.ts';
import { CandorError } from '../protocol/errors.ts';
import { turnWorkflowId, type TurnId } from '../protocol/ids.ts';
import type { TurnGraph } from '../protocol/ports.ts';
import { toReceiptPayload } from '../protocol/receipt.ts';
import { stepTextsQuery, toLogged, type StepText, type TurnResult } from '../protocol/turn.ts';
import { withFailures } from './failures.ts';
import { sha256 } from './prompt.ts';

export function createStoreConversation({ graph }: { readonly graph: Pick<TurnGraph, 'storeTurn'> }) {
  return (input: StoreConversationInput): Promise<StoreConversationResult> =>
    withFailures(async () => {
      const { turn, terminal, log, citations, answerSha256, closedAt } = input;
      const steps = answerSha256 === null ? [] : await readStepTexts(turn.turnId);
      const answer = steps.at(-1) ?? null;
      if (answerSha256 !== null && (answer === null || sha256(answer.text) !== answerSha256)) {
        throw new CandorError('internal', {
          facts: { reason: 'the answer to store is not the answer that was given' },
        });
      }
      const storedAt = closedAt ?? new Date().toISOString();
      const closing = closingEvents(turn, log, terminal, answerSha256 !== null, storedAt).map(toLogged);
      const { receipt } = terminal;
      return graph.storeTurn({
        turnId: turn.turnId,
        outcome: outcomes[terminal.type],
        errorCode: terminal.type === 'turn_failed' ? terminal.error.code : null,
        answer,
        steps,
        log: [...log, ...closing],
        receiptJson: receipt === null ? null : toCanonicalJson(receipt),
        receiptSha256: receipt === null ? null : sha256(toReceiptPayload(receipt)),
        citations,
        storedAt,
      });
    });
}

const outcomes: Record<TerminalDraft['type'], TurnResult['outcome']> = {
  turn_completed: 'completed',
  turn_failed: 'failed',
  turn_cancelled: 'cancelled',
};

function readStepTexts(turnId: TurnId): Promise<readonly StepText[]> {
  return Context.current().client.workflow.getHandle(turnWorkflowId(turnId)).query<readonly StepText[]>(stepTextsQuery);
}
