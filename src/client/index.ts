// `candor/client`: what a browser or a program needs to hold a conversation with a Candor, in one place. docs/client.md
// shows it in use; PROTOCOL.md is what it speaks.

export { createCandorClient } from './client.ts';
export type { CandorClient, CandorClientOptions, Message, SentTurn } from './client.ts';
export { CandorClientError } from './client-error.ts';
export type { ConnectionState } from './connection.ts';
export { systemClock, type Clock } from './clock.ts';
export { createStorageOutbox } from './outbox.ts';
export type { KeyValueStore, Outbox, Outgoing } from './outbox.ts';
export type { Corrected, TurnItem } from './reading.ts';
export type { OpenSocket, SocketRequest, WebSocketLike } from './socket-opener.ts';
export { parseClaims, type TokenClaims, type TokenSource } from './token.ts';
export type { EventsOptions, TurnChange, TurnHandle } from './turn-handle.ts';
export type { ConversationWatch, WatchChange, WatchedTurn } from './watch.ts';
