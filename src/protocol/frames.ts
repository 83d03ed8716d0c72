// What travels over a socket besides the turn's events. PROTOCOL.md has the rules.

import type { CursorFrame } from './cursor.ts';
import type { TurnEvent } from './events.ts';
import type { ErrorInfo } from './errors.ts';
import type { AgentId, ConversationId, TurnId, UserId } from './ids.ts';
import type { TurnState } from './transcript.ts';
import type { Attachment, BusyMode } from './turn.ts';

export const subprotocol = 'candor.v1';

export interface MessageFrame {
  readonly type: 'message';
  readonly turnId: TurnId;
  readonly conversationId: ConversationId;
  readonly text: string;
  readonly busy?: BusyMode | undefined;
  readonly parentTurnId?: TurnId | undefined;
  readonly regenerateOf?: TurnId | undefined;
  readonly attachments?: readonly Attachment[] | undefined;
}
/** Sends what the reader lacks and goes on with it. */
export interface ResumeFrame {
  readonly type: 'resume';
  readonly turnId: TurnId;
  readonly cursor?: CursorFrame | undefined;
}
export interface CancelFrame {
  readonly type: 'cancel';
  readonly turnId: TurnId;
}
/** Takes back a message that is still queued. */
export interface WithdrawFrame {
  readonly type: 'withdraw';
  readonly turnId: TurnId;
}
/** Every event of the conversation from now on; answered by `conversation`. */
export interface WatchFrame {
  readonly type: 'watch';
  readonly conversationId: ConversationId;
}
export interface UnwatchFrame {
  readonly type: 'unwatch';
  readonly conversationId: ConversationId;
}
/** A fresh token before the old one expires. */
export interface AuthFrame {
  readonly type: 'auth';
  readonly token: string;
}
/**
 * What a person decides about the call of a tool: this call, with these arguments and no others. Reserved: a gateway takes
 * it from the version on that has tools.
 */
export interface DecisionFrame {
  readonly type: 'approve' | 'deny';
  readonly turnId: TurnId;
  readonly callId: string;
  readonly argumentsSha256: string;
}
export type ClientFrame =
  MessageFrame | ResumeFrame | CancelFrame | WithdrawFrame | WatchFrame | UnwatchFrame | AuthFrame;

export interface HelloFrame {
  readonly type: 'hello';
  readonly protocol: typeof subprotocol;
  readonly agentId: AgentId;
  readonly user: UserId;
}
export interface ConversationFrame {
  readonly type: 'conversation';
  readonly conversationId: ConversationId;
  readonly turns: readonly { readonly turnId: TurnId; readonly state: TurnState }[];
}
export interface AgentSummary {
  readonly id: AgentId;
  readonly name: string;
  readonly description: string;
  readonly model: string;
}
export interface AgentsChangedFrame {
  readonly type: 'agents_changed';
  readonly agents: readonly AgentSummary[];
}
/** A frame was bad or refused. The socket stays usable unless it is closed with the code's close code. */
export interface ErrorFrame {
  readonly type: 'error';
  readonly error: ErrorInfo;
  /** The turnId, conversationId or type of the refused frame. */
  readonly inReplyTo?: string;
}
export type ServerFrame = HelloFrame | ConversationFrame | AgentsChangedFrame | ErrorFrame | TurnEvent;
