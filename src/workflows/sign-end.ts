// Puts the signature on the receipt with which a turn ends. Before the store, so that the graph, the events and the
// workflow's result all have the same one, also when the graph is away.

import { log as workflowLog, patched, proxyLocalActivities } from '@temporalio/workflow';
import type { TurnActivities } from '../protocol/activities.ts';
import type { TerminalDraft } from '../protocol/closing.ts';
import { activityOptions } from './activity-options.ts';
import { toTurnError } from './failures.ts';

const { signReceipt } = proxyLocalActivities<Pick<TurnActivities, 'signReceipt'>>(activityOptions.signReceipt);

export type SignEnd = (end: TerminalDraft) => Promise<TerminalDraft>;

/**
 * To be asked once in each turn. A turn of a version that did not sign keeps its end without a signature, as its history
 * has it; asked in two places, one history could get two answers.
 */
export const chooseSigning = (): SignEnd => (patched('signed-receipt') ? signEnd : async (end) => end);

async function signEnd(end: TerminalDraft): Promise<TerminalDraft> {
  if (end.receipt === null) return end;
  try {
    const { jws } = await signReceipt(end.receipt);
    return { ...end, receipt: { ...end.receipt, jws } };
  } catch (thrown) {
    // Swallowed: it is in the history and in the worker's log, and a receipt without a signature says what it is. The
    // turn has to end for its user all the same.
    workflowLog.error('a receipt could not be signed', { code: toTurnError(thrown).code });
    return end;
  }
}
