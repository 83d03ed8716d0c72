// Asks the auditor's model for a verdict on question, context and answer. Its reply is JSON by schema and validated
// here all the same: malformed output is a failure, never «nothing found».

import { Context } from '@temporalio/activity';
import type { AuditFinding, CallLlmInput, CallLlmResult } from '../../protocol/activities.ts';
import { CandorError } from '../../protocol/errors.ts';
import { defaultTimeouts } from '../../protocol/limits.ts';
import type { AuditGraph, LanguageModel, ModelReadiness, PromptMessage } from '../../protocol/ports.ts';
import { unknownUsage } from '../../protocol/receipt.ts';
import { parseVerdict, verdictJsonSchema } from '../../protocol/schema.ts';
import { toFailure } from '../failures.ts';
import { awaitModel } from '../model-readiness.ts';
import { sha256 } from '../prompt.ts';

export interface CallLlmDependencies {
  readonly graph: AuditGraph;
  readonly auditor: LanguageModel;
  readonly auditModel: string;
  readonly readiness: ModelReadiness;
}

const heartbeatMs = 5_000;

const instruction = `You audit answers of an assistant. You get a question, the context the assistant was given, its answer, and findings made by a program.
Decide whether the answer is incorrect: it contradicts the context, states facts that the context does not support, or does not answer the question.
An answer that says plainly that the context has no answer is correct when that is so.
Reply with JSON: isIncorrect (boolean), confidence (number from 0 to 1, how sure you are), reason (one or two sentences).`;

export function createCallLlm({ graph, auditor, auditModel, readiness }: CallLlmDependencies) {
  return async ({ audit, findings, answerSha256 }: CallLlmInput): Promise<CallLlmResult> => {
    const context = Context.current();
    const timer = setInterval(() => context.heartbeat(), heartbeatMs);
    try {
      const [turn, prompt] = await Promise.all([graph.turn(audit.turnId), graph.readPrompt(audit.turnId)]);
      const answer = turn?.steps.at(-1);
      if (turn === null || answer === undefined || sha256(answer.text) !== answerSha256) {
        throw new CandorError('internal', { facts: { reason: 'the stored answer is not the one that was analyzed' } });
      }
      const asked = { name: auditModel, backend: auditor.backend };
      await awaitModel(readiness, asked, context.cancellationSignal, () => context.heartbeat());
      let text = '';
      let end: Pick<CallLlmResult, 'model' | 'responseId' | 'usage'> = {
        model: null,
        responseId: null,
        usage: unknownUsage,
      };
      const request = {
        model: auditModel,
        messages: toMessages(turn.text, contextOf(prompt?.messages ?? []), answer.text, findings),
        temperature: 0,
        maxTokens: 500,
        jsonSchema: { name: 'verdict', schema: verdictJsonSchema },
        timeouts: { ...defaultTimeouts, firstTokenMs: 10 * defaultTimeouts.firstTokenMs },
      };
      for await (const chunk of auditor.stream(request, context.cancellationSignal)) {
        if (chunk.kind === 'finish') end = { model: chunk.model, responseId: chunk.responseId, usage: chunk.usage };
        else if (chunk.channel === 'answer') text += chunk.text;
      }
      return { ...parseVerdict(text, asked), ...end };
    } catch (error) {
      throw toFailure(error);
    } finally {
      clearInterval(timer);
    }
  };
}

/** What the assistant was given besides instruction and dialogue: the system messages after the first. */
const contextOf = (messages: readonly PromptMessage[]): string =>
  messages
    .slice(1)
    .filter((m) => m.role === 'system')
    .map((m) => m.content)
    .join('\n\n');

function toMessages(
  question: string,
  context: string,
  answer: string,
  findings: readonly AuditFinding[],
): PromptMessage[] {
  const found = findings.map(({ kind, detail }) => `- ${kind}: ${detail}`).join('\n');
  const parts = [
    `QUESTION:\n${question}`,
    `CONTEXT:\n${context === '' ? '(none was found)' : context}`,
    `ANSWER:\n${answer}`,
    `FINDINGS:\n${found === '' ? '(none)' : found}`,
  ];
  return [
    { role: 'system', content: instruction },
    { role: 'user', content: parts.join('\n\n') },
  ];
}
