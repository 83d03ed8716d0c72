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
   * @param lagMs from the event's emission to the hand-over; `null` for what is told again after a resume, and for text
   * that did not come by the live lane
   */
  eventSent(transport: DeliveryTransport, type: string, lagMs: number | null): void;
  /** A reader came back with a cursor, or without one to a turn that is known. */
  resumed(transport: DeliveryTransport): void;
  gapFilled(source: GapSource): void;
  /** @param count asked whenever the figures are read */
  follows(count: () => Followed): void;
}

/** What a gateway follows at this moment. */
export interface Followed {
  /** Turns with a feed, also those that are kept for a while without a reader. */
  readonly turns: number;
  /** Readers of all of them. */
  readonly readers: number;
}
