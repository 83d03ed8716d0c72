// The rival's workflows are the product's, file for file: bundle.ts puts the event log that hosts a stream where theirs
// is, and changes nothing else.

export { ChatTurn } from '../../../../src/workflows/chat-turn.ts';
export { Audit } from '../../../../src/workflows/audit.ts';
