// The front matter of an agent file: which keys there are, what they may hold, and what stands for an absent one.
// Unknown keys are refused, because a misspelt limit that is ignored is a limit that does not hold.

import { z } from 'zod';
import type { AgentId } from '../protocol/ids.ts';
import { defaultBudget, defaultRetry, defaultTimeouts } from '../protocol/limits.ts';
import type { AgentDefinition } from '../protocol/ports.ts';

/** What an agent has that says nothing else. */
export type AgentDefaults = Pick<
  AgentDefinition,
  'maxSteps' | 'historyTokens' | 'contextTokens' | 'contextItems' | 'maxAttempts' | 'timeouts' | 'turnMs'
>;

const { turnMs, ...callTimeouts } = defaultTimeouts;

export const agentDefaults: AgentDefaults = {
  ...defaultBudget,
  maxSteps: 8,
  contextItems: 6,
  maxAttempts: defaultRetry.maxAttempts,
  timeouts: callTimeouts,
  turnMs,
};

const whole = z.number().int();
const seconds = z
  .number()
  .positive()
  .max(24 * 60 * 60);
const notYet = (what: string) =>
  z.array(z.unknown()).max(0, `${what} cannot be used in this version; remove them or leave the list empty`);

const toSchema = (defaults: AgentDefaults) =>
  z.strictObject({
    id: z.string().min(1),
    name: z.string().trim().min(1).max(100).optional(),
    description: z.string().trim().max(1_000).optional(),
    model: z.string().trim().min(1).optional(),
    temperature: z.number().min(0).max(2).optional(),
    maxTokens: whole.min(1).optional(),
    maxSteps: whole.min(1).max(100).optional(),
    history: z.strictObject({ tokens: whole.min(0).optional() }).optional(),
    context: z
      .strictObject({ documents: whole.min(0).max(100).optional(), tokens: whole.min(0).optional() })
      .optional(),
    retry: z
      .strictObject({
        attempts: whole
          .min(defaults.maxAttempts, `an agent may add to the ${defaults.maxAttempts} published tries, never take away`)
          .max(100)
          .optional(),
      })
      .optional(),
    timeouts: z
      .strictObject({
        connectSeconds: seconds.optional(),
        firstTokenSeconds: seconds.optional(),
        silenceSeconds: seconds.optional(),
        turnSeconds: seconds.optional(),
      })
      .optional(),
    tools: notYet('tools').optional(),
    subagents: notYet('sub-agents').optional(),
  });

export interface AgentProblem {
  readonly path: readonly PropertyKey[];
  readonly text: string;
}

/** Every problem of the front matter, not only the first. */
export type CheckedAgent =
  | { readonly kind: 'valid'; readonly agent: AgentDefinition }
  | { readonly kind: 'invalid'; readonly problems: readonly AgentProblem[] };

export function checkAgent(
  id: AgentId,
  values: unknown,
  systemPrompt: string,
  defaults: AgentDefaults = agentDefaults,
): CheckedAgent {
  const parsed = toSchema(defaults).safeParse(values ?? {});
  const problems = parsed.success ? [] : parsed.error.issues.flatMap(toProblems);
  if (parsed.success && parsed.data.id !== id) {
    problems.push({ path: ['id'], text: `id is «${parsed.data.id}», the file is named ${id}.md` });
  }
  if (systemPrompt === '') problems.push({ path: [], text: 'the system prompt behind the front matter is empty' });
  if (!parsed.success || problems.length > 0) return { kind: 'invalid', problems };

  const { name, description, model, temperature, maxTokens, maxSteps, history, context, retry, timeouts } = parsed.data;
  const agent: AgentDefinition = {
    id,
    name: name ?? id,
    description: description ?? '',
    model: model === undefined || model === 'default' ? null : model,
    temperature: temperature ?? null,
    maxTokens: maxTokens ?? null,
    maxSteps: maxSteps ?? defaults.maxSteps,
    historyTokens: history?.tokens ?? defaults.historyTokens,
    contextTokens: context?.tokens ?? defaults.contextTokens,
    contextItems: context?.documents ?? defaults.contextItems,
    maxAttempts: retry?.attempts ?? defaults.maxAttempts,
    timeouts: {
      connectMs: toMs(timeouts?.connectSeconds) ?? defaults.timeouts.connectMs,
      firstTokenMs: toMs(timeouts?.firstTokenSeconds) ?? defaults.timeouts.firstTokenMs,
      silenceMs: toMs(timeouts?.silenceSeconds) ?? defaults.timeouts.silenceMs,
    },
    turnMs: toMs(timeouts?.turnSeconds) ?? defaults.turnMs,
    systemPrompt,
  };
  return { kind: 'valid', agent };
}

const toMs = (value: number | undefined): number | undefined =>
  value === undefined ? undefined : Math.round(value * 1_000);

function toProblems(issue: z.core.$ZodIssue): AgentProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...issue.path, key], text: `unknown key «${toName(issue.path, key)}»` }));
  }
  const name = toName(issue.path);
  return [{ path: issue.path, text: name === '' ? issue.message : `${name}: ${issue.message}` }];
}

const toName = (path: readonly PropertyKey[], ...more: readonly string[]): string =>
  [...path, ...more].map(String).join('.');
