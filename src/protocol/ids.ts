// Identifiers. Branded so that a turn's id cannot stand where a conversation's is meant; the brand exists for the
// compiler only.

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** UUID made by the client; the turn's workflow is `turn/<turnId>`. */
export type TurnId = Branded<'TurnId'>;
/** UUID made by the client. */
export type ConversationId = Branded<'ConversationId'>;
/** The `sub` claim of the caller's token. */
export type UserId = Branded<'UserId'>;
/** Kebab-case id of an agent file. */
export type AgentId = Branded<'AgentId'>;
/** `audit/<turnId>`: the audit's id is its workflow's. */
export type AuditId = Branded<'AuditId'>;

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const agentPattern = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** True for a lower-case RFC 9562 UUID: one spelling, so that one turn cannot have two workflow ids. */
export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && uuidPattern.test(value);
}

/** True for a well-formed agent id; says nothing of whether the agent exists. */
export function isAgentId(value: unknown): value is AgentId {
  return typeof value === 'string' && agentPattern.test(value);
}

export const turnWorkflowId = (turnId: TurnId): string => `turn/${turnId}`;
export const auditWorkflowId = (turnId: TurnId): AuditId => `audit/${turnId}` as AuditId;
