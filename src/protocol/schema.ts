// The only zod of the contract: shapes that arrive from outside. Kept in one file because a validator must never enter
// the workflow bundle; the types of frames.ts and these schemas are held together by the compiler (`satisfies`).

import { z } from 'zod';
import { CandorError } from './errors.ts';
import type { ClientFrame, MessageFrame } from './frames.ts';
import { isUuid, type ConversationId, type TurnId } from './ids.ts';
import { maxAttachmentBytes, maxAttachments, maxMessageLength } from './limits.ts';
import type { CallLlmResult } from './activities.ts';
import type { CursorFrame } from './cursor.ts';

const uuid = z.string().refine(isUuid, 'is not a lower-case UUID');
const turnId = uuid.transform((id) => id as TurnId);
const conversationId = uuid.transform((id) => id as ConversationId);
const whole = z.number().int().min(0);
const channel = z.enum(['answer', 'reasoning']);

const stream = z.object({ step: whole, attempt: whole, channel, offset: whole });

/** Cursor as it travels, in frames and, as base64url, in `Last-Event-ID`. */
const cursorSchema = z.object({
  seq: whole,
  step: whole.optional(),
  attempt: whole.optional(),
  channel: channel.optional(),
  offset: whole.optional(),
  streams: z.array(stream).max(64).optional(),
  log: z.string().max(64).optional(),
}) satisfies z.ZodType<CursorFrame>;

const attachment = z.object({
  name: z.string().min(1).max(255),
  mediaType: z.string().min(1).max(255),
  text: z.string(),
});

/** Body of `POST /api/conversations/{id}/turns`; the socket's `message` adds type and conversation. */
const message = z.object({
  turnId,
  text: z.string().refine((text) => text.trim() !== '', 'is empty'),
  busy: z.enum(['enqueue', 'interrupt', 'reject']).optional(),
  parentTurnId: turnId.optional(),
  regenerateOf: turnId.optional(),
  attachments: z
    .array(attachment)
    .max(maxAttachments)
    .refine(
      (all) => new TextEncoder().encode(all.map((a) => a.text).join('')).length <= maxAttachmentBytes,
      `exceed ${maxAttachmentBytes} bytes`,
    )
    .optional(),
});

const clientFrame = z.discriminatedUnion('type', [
  message.extend({ type: z.literal('message'), conversationId }),
  z.object({ type: z.literal('resume'), turnId, cursor: cursorSchema.optional() }),
  z.object({ type: z.literal('cancel'), turnId }),
  z.object({ type: z.literal('withdraw'), turnId }),
  z.object({ type: z.literal('watch'), conversationId }),
  z.object({ type: z.literal('unwatch'), conversationId }),
  z.object({ type: z.literal('auth'), token: z.string().min(1) }),
]) satisfies z.ZodType<ClientFrame>;

export type MessageBody = Omit<MessageFrame, 'type' | 'conversationId'>;

/** @throws CandorError `invalid_request` with the first problem, `message_too_long` */
export function parseMessageBody(body: unknown): MessageBody {
  refuseLongText(body);
  return parse(message, body, 'the body');
}

/** @throws CandorError `invalid_request` with the first problem, `message_too_long` */
export function parseClientFrame(raw: string): ClientFrame {
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch (cause) {
    throw new CandorError('invalid_request', { facts: { reason: 'the frame is not JSON' }, cause });
  }
  refuseLongText(value);
  return parse(clientFrame, value, 'the frame');
}

/** What an error frame should name: the turn, the conversation, else the type; `undefined` when there is none. */
export function replyAddress(raw: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch {
    // Swallowed: the frame is refused for what it is; it has no address.
    return undefined;
  }
  if (value === null || typeof value !== 'object') return undefined;
  const frame = value as Record<string, unknown>;
  return [frame['turnId'], frame['conversationId'], frame['type']].find((v): v is string => typeof v === 'string');
}

/** Cursor from base64url of its JSON. @throws CandorError `invalid_request` */
export function parseCursor(value: unknown): CursorFrame {
  return parse(cursorSchema, value, 'the cursor');
}

const verdict = z.strictObject({
  isIncorrect: z.boolean(),
  confidence: z.number().min(0).max(1),
  reason: z.string().min(1).max(4_000),
}) satisfies z.ZodType<Pick<CallLlmResult, 'isIncorrect' | 'confidence' | 'reason'>>;

/** JSON schema for the auditor's `response_format`. */
export const verdictJsonSchema = z.toJSONSchema(verdict) as Readonly<Record<string, unknown>>;

/**
 * The auditor's reply.
 * @throws CandorError `llm_invalid_output`: malformed is a failure, never «nothing found»
 */
export function parseVerdict(
  text: string,
  { name: model, backend }: { readonly name: string; readonly backend: string },
): z.infer<typeof verdict> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CandorError('llm_invalid_output', {
      facts: { model, backend, reason: 'the verdict is not JSON' },
      cause,
    });
  }
  const parsed = verdict.safeParse(value);
  if (parsed.success) return parsed.data;
  const reason = `the verdict ${firstProblem(parsed.error)}`;
  throw new CandorError('llm_invalid_output', { facts: { model, backend, reason } });
}

function refuseLongText(value: unknown): void {
  const text = value !== null && typeof value === 'object' ? (value as Record<string, unknown>)['text'] : undefined;
  if (typeof text === 'string' && text.length > maxMessageLength) {
    throw new CandorError('message_too_long', { facts: { length: text.length, limit: maxMessageLength } });
  }
}

function parse<Output>(schema: z.ZodType<Output>, value: unknown, what: string): Output {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new CandorError('invalid_request', { facts: { reason: `${what}: ${firstProblem(parsed.error)}` } });
}

function firstProblem(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'is malformed';
  const path = issue.path.join('.');
  return path === '' ? issue.message : `${path} ${issue.message}`;
}
