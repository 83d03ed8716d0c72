// One turn of a wave: its message, what the model will say, who reads it, and what the fault found it doing.

import { newConversationId, newTurnId } from '../stack.ts';
import type { ConversationId, TurnId } from '../../src/protocol/ids.ts';
import { phaseOf, type Phase } from './phase.ts';
import { startReader, type TurnReader } from './reader.ts';
import type { Site } from './site.ts';
import type { CallPlan, WireTurn } from './wire.ts';

export interface ChaosTurn {
  readonly label: string;
  readonly turnId: TurnId;
  readonly conversationId: ConversationId;
  readonly wire: WireTurn;
  /** Where it is to be when the fault comes; `null`: wherever it is. */
  readonly target: Phase | null;
  /** The sender first. */
  readonly readers: readonly TurnReader[];
  /** What the fault found it doing; `null`: it missed the turn. */
  hit: Phase | null;
  /** Connects the sender, whose message leaves with it. */
  send(): void;
  /** Connects another device of the user, by the other gateway. */
  watch(): void;
  phase(): Phase | null;
  close(): void;
}

export interface TurnPlan {
  readonly label: string;
  readonly call: CallPlan;
  readonly target: Phase | null;
  /** Index of the sender's first gateway. */
  readonly gateway: number;
  /** Absent: a conversation of its own. */
  readonly conversationId?: ConversationId;
}

export function createChaosTurn(site: Site, { label, call, target, gateway, ...plan }: TurnPlan): ChaosTurn {
  const turnId = newTurnId();
  const conversationId = plan.conversationId ?? newConversationId();
  const wire = site.wire.expect(label, call);
  const readers: TurnReader[] = [];
  const { gatewayUrls: gateways, token } = site;
  return {
    label,
    turnId,
    conversationId,
    wire,
    target,
    readers,
    hit: null,
    send() {
      const message = { conversationId, text: wire.question };
      readers.unshift(startReader({ turnId, message, gateways, startAt: gateway, token }));
    },
    watch() {
      readers.push(startReader({ turnId, message: null, gateways, startAt: gateway + 1, token }));
    },
    phase() {
      const [sender] = readers;
      return sender === undefined
        ? 'before accepted'
        : phaseOf({ transcript: sender.transcript, calls: wire.calls, auditCalls: wire.auditCalls });
    },
    close() {
      for (const reader of readers) reader.close();
    },
  };
}
