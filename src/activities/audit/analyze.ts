// What can be said about an answer without asking a model: whether there is anything to audit, and what its own
// records show.

import type { AnalyzeResult, AuditFinding } from '../../protocol/activities.ts';
import { CandorError } from '../../protocol/errors.ts';
import type { AuditGraph, StoredTurn } from '../../protocol/ports.ts';
import type { AuditInput } from '../../protocol/turn.ts';
import { withFailures } from '../failures.ts';
import { sha256 } from '../prompt.ts';

export function createAnalyze({ graph }: { readonly graph: AuditGraph }) {
  return (audit: AuditInput): Promise<AnalyzeResult> =>
    withFailures(async () => {
      const turn = await graph.turn(audit.turnId);
      if (turn === null)
        throw new CandorError('internal', { facts: { reason: 'the turn to audit is not in the graph' } });
      const answer = turn.steps.at(-1);
      const prompt = await graph.readPrompt(audit.turnId);
      return {
        applicable: answer !== undefined && answer.text.trim() !== '',
        findings:
          answer === undefined
            ? []
            : findingsOf(turn, answer.sha256 === sha256(answer.text), prompt?.context.length ?? 0),
        questionSha256: sha256(turn.text),
        answerSha256: answer?.sha256 ?? null,
        contextIds: prompt?.context.map((item) => item.id) ?? [],
      };
    });
}

function findingsOf(turn: StoredTurn, hashHolds: boolean, contextItems: number): AuditFinding[] {
  const findings: AuditFinding[] = [];
  for (const event of turn.result?.log ?? []) {
    if (event.type === 'turn_cancelled') findings.push({ kind: 'stopped', detail: `stopped by ${event.by}` });
    if (event.type !== 'agent_completed') continue;
    if (event.incomplete) findings.push({ kind: 'incomplete', detail: `finish reason ${event.finishReason}` });
    for (const sign of event.unsupported) findings.push({ kind: 'unsupported_source', detail: sign });
  }
  if (!hashHolds) findings.push({ kind: 'hash_mismatch', detail: 'the stored text is not the text that was answered' });
  if (contextItems === 0) findings.push({ kind: 'no_context', detail: 'no knowledge was found for the question' });
  return findings;
}
