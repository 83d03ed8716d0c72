// What the gateway counts of its own delivery. A port: who counts, and in which format it is read, is chosen in the
// composition root.

/** Where text or events came from that the live lane had not brought. */
export type GapSource = 'heartbeat' | 'log' | 'graph';

export type DeliveryTransport = 'socket' | 'sse';

export interface DeliveryMetrics {
  socketOpened(): void;
  /** @param code WebSocket close code, as sent or received */
  socketClosed(code: number): void;
  /** A peer that took nothing for too long and was closed with 1013. */
  slowClosed(): void;
  /**
   * An event was handed to the network.
   * @param lagMs from the event's `time` to the hand-over; `null` for what is told again after a resume
   */
  eventSent(transport: DeliveryTransport, type: string, lagMs: number | null): void;
  /** A reader came back with a cursor, or without one to a turn that is known. */
  resumed(transport: DeliveryTransport): void;
  gapFilled(source: GapSource): void;
}
