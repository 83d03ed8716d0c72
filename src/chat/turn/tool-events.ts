// Events of tools and approvals, which PROTOCOL.md reserves for later versions: read by their fields, because a log holds
// what it does not know (R11). A field of another shape makes it an unknown event again.

import type { SequencedEvent } from '../../protocol/events.ts';

export type ToolEvent =
  | { readonly type: 'tool_executing'; readonly callId: string; readonly tool: string; readonly arguments: unknown }
  | {
      readonly type: 'tool_completed';
      readonly callId: string;
      readonly tool: string | null;
      readonly result: unknown;
      readonly errorMessage: string | null;
      readonly durationMs: number | null;
    }
  | (ApprovalRequest & { readonly type: 'approval_requested' })
  | {
      readonly type: 'approval_resolved';
      readonly callId: string;
      readonly decision: string;
      readonly by: string | null;
    };

export interface ApprovalRequest {
  readonly callId: string;
  readonly tool: string;
  readonly arguments: unknown;
  /** What the person decides about, and nothing else. */
  readonly argumentsSha256: string;
  readonly expiresAt: string | null;
}

type Fields = Readonly<Record<string, unknown>>;

/** `null`: it is no event of a tool. */
export function toToolEvent(event: SequencedEvent): ToolEvent | null {
  const fields = event as unknown as Fields;
  const callId = textOf(fields, 'callId');
  if (callId === null) return null;
  const tool = textOf(fields, 'tool');
  switch (fields['type']) {
    case 'tool_executing':
      return tool === null ? null : { type: 'tool_executing', callId, tool, arguments: fields['arguments'] };
    case 'tool_completed': {
      const { error, result, durationMs } = fields as { error?: Fields; result?: unknown; durationMs?: unknown };
      return {
        type: 'tool_completed',
        ...{ callId, tool, result },
        errorMessage: error === undefined ? null : (textOf(error, 'message') ?? 'no reason was given'),
        durationMs: typeof durationMs === 'number' ? durationMs : null,
      };
    }
    case 'approval_requested': {
      const argumentsSha256 = textOf(fields, 'argumentsSha256');
      if (tool === null || argumentsSha256 === null) return null;
      const { arguments: given } = fields as { arguments?: unknown };
      return {
        type: 'approval_requested',
        ...{ callId, tool, argumentsSha256, arguments: given },
        expiresAt: textOf(fields, 'expiresAt'),
      };
    }
    case 'approval_resolved':
      return {
        type: 'approval_resolved',
        callId,
        decision: textOf(fields, 'decision') ?? 'decided',
        by: textOf(fields, 'by'),
      };
    default:
      return null;
  }
}

/** The first request that nobody has decided about; `null`: there is none. */
export function openApproval(log: readonly SequencedEvent[]): ApprovalRequest | null {
  const events = log.flatMap((event) => toToolEvent(event) ?? []);
  const decided = new Set(events.flatMap((event) => (event.type === 'approval_resolved' ? event.callId : [])));
  return (
    (events.find((event) => event.type === 'approval_requested' && !decided.has(event.callId)) as ApprovalRequest) ??
    null
  );
}

const textOf = (fields: Fields, name: string): string | null => {
  const value = fields[name];
  return typeof value === 'string' ? value : null;
};
