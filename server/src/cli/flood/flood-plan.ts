/** The options of `flood`. */
export interface FloodPlan {
  readonly group: string;
  readonly senders: number;
  readonly receivers: number;
  /** Size of each message in bytes; at least {@link STAMP_BYTES}. */
  readonly size: number;
  /** Number of messages of each sender. Undefined: as many as fit into the time. */
  readonly count: number | undefined;
  /** Duration of sending in ms. Undefined: until `count` messages are sent. */
  readonly durationMs: number | undefined;
  /** Messages per second of each sender. Undefined: as fast as the sidecar accepts them. */
  readonly rate: number | undefined;
  /** Largest number of messages in flight to a receiver. */
  readonly window: number;
  /** One of Spread's bits. */
  readonly service: number;
  /** Time without messages after sending, after which missing messages count as lost. Unit: ms. */
  readonly patienceMs: number;
}

/** Bytes of a message for its sender, its number and its time. */
export const STAMP_BYTES = 32;
