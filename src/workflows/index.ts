// Everything that a worker registers.

export { ChatTurn } from './chat-turn.ts';
export { Audit } from './audit.ts';
