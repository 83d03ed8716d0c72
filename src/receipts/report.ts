// A verification in words. Nothing but what was signed is told as a fact, and nothing of a stranger's reaches the terminal
// as a control character.

import type { AttemptRecord, Receipt, Usage } from '../protocol/receipt.ts';
import type { CheckedReceipt, Verification, Verdict } from './verdict.ts';

const titles: Readonly<Record<Verdict, string>> = {
  valid: 'VALID',
  changed: 'CHANGED',
  answer_changed: 'ANSWER CHANGED',
  unknown_key: 'UNKNOWN KEY',
  predecessor_missing: 'PREDECESSOR MISSING',
  unsigned: 'UNSIGNED',
  unreadable: 'UNREADABLE',
};

/** Lines for a person. */
export function toLines({ receipts }: Verification): readonly string[] {
  const lines = receipts.flatMap((checked) => [...describe(checked), '']);
  return [...lines, summarize(receipts)].map((line) => line.replace(/\p{Cc}/gu, '�'));
}

function describe(checked: CheckedReceipt): readonly string[] {
  const { verdict, turnId, place, reason, signed } = checked;
  const subject = [place, turnId === null ? '' : `turn ${turnId}`].filter((part) => part !== '').join(' ');
  const title = `${titles[verdict]}${subject === '' ? '' : `  ${subject}`}`;
  return [title, `  ${reason}`, ...(signed === null ? [] : toFacts(checked, signed))];
}

function toFacts({ kid, answer, predecessor }: CheckedReceipt, receipt: Receipt): readonly string[] {
  const { outcome, incomplete, agentId, conversationId, model, backend, attempts, issuedAt } = receipt;
  const answerNote = { fits: 'the text fits', differs: 'the text differs', not_given: 'no text was compared' }[answer];
  const facts: readonly (readonly [string, string])[] = [
    ['outcome', incomplete ? `${outcome}, no whole answer` : outcome],
    ['agent', `${agentId} in conversation ${conversationId}`],
    ['model', model === null ? 'none replied' : model],
    ['backend', backend ?? 'none was called'],
    ...attempts.map((record): [string, string] => [`call ${record.step}.${record.attempt}`, toCall(record)]),
    ['prompt', toHash(receipt.promptSha256)],
    ['answer', receipt.answerSha256 === null ? 'none' : `${toHash(receipt.answerSha256)}, ${answerNote}`],
    ['previous', toPrevious(receipt, predecessor)],
    ['issued', issuedAt],
    ['key', kid ?? 'none'],
  ];
  return facts.map(([name, value]) => `  ${name.padEnd(9)} ${value}`);
}

function toPrevious({ previousReceiptSha256: hash }: Receipt, predecessor: CheckedReceipt['predecessor']): string {
  if (hash === null) return 'none, it begins its conversation';
  return `${toHash(hash)}, ${predecessor === 'present' ? 'it is here' : 'it is not here and was not checked'}`;
}

function toCall({ outcome, errorCode, finishReason, responseId, usage }: AttemptRecord): string {
  const parts = [
    outcome,
    errorCode,
    finishReason,
    responseId === null ? null : `response ${responseId}`,
    toTokens(usage),
  ];
  return parts.filter((part) => part !== null).join(', ');
}

function toTokens({ promptTokens, completionTokens, totalTokens }: Usage): string {
  if (promptTokens === null && completionTokens === null && totalTokens === null) return 'tokens unknown';
  return `tokens ${promptTokens ?? '?'} in, ${completionTokens ?? '?'} out, ${totalTokens ?? '?'} in all`;
}

const toHash = (sha256: string | null): string => (sha256 === null ? 'none' : `sha256 ${sha256}`);

function summarize(receipts: readonly CheckedReceipt[]): string {
  const counts = (Object.keys(titles) as Verdict[]).flatMap((verdict) => {
    const count = receipts.filter((checked) => checked.verdict === verdict).length;
    return count === 0 ? [] : [`${count} ${titles[verdict].toLowerCase()}`];
  });
  return `${receipts.length} ${receipts.length === 1 ? 'receipt' : 'receipts'}: ${counts.join(', ')}`;
}
