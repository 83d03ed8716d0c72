// The text that the demonstration's model server streams. Its two answers differ, so that a mixture of both would show.

const command = '`conman "rerun {workstation}#{job stream}.{job}"`';

/** The call that is killed with its process. */
export const firstAnswer =
  `A failed job is started again with ${command}. First read its log, because a rerun repeats whatever the job had ` +
  'already done before it failed. Then look whether its predecessors ended well, and only then rerun it.';

/** The call that answers. */
export const secondAnswer =
  `Look at the job’s log first. When the cause is gone, rerun it with ${command}; an operator may do that, a change ` +
  'of the schedule needs an approval. The plan shows the new run beside the failed one. Source: [runbook RB-001]';

export const question = 'How do I restart a failed job in TWS?';

/** Pieces as a model would send them: a few letters each, so that a cut falls into a word. */
export function toChunks(text: string, length = 3): string[] {
  return Array.from({ length: Math.ceil(text.length / length) }, (_, n) => text.slice(n * length, (n + 1) * length));
}
