/** What `flood` is to do. */
export interface FloodPlan {
  readonly group: string;
  readonly senders: number;
  readonly receivers: number;
  /** Of each message, in bytes; at least {@link STAMP_BYTES}. */
  readonly size: number;
  /** Messages of each sender; undefined: as many as the time allows. */
  readonly count: number | undefined;
  /** How long to send, in ms; undefined: until `count` are sent. */
  readonly durationMs: number | undefined;
  /** Messages a second of each sender; undefined: as fast as they are taken. */
  readonly rate: number | undefined;
  /** Messages that may be on their way to a receiver. */
  readonly window: number;
  /** One of Spread's bits. */
  readonly service: number;
  /** What is still on its way after the last one was sent is lost when nothing comes for so long, in ms. */
  readonly patienceMs: number;
}

/** Bytes of a message that carry who sent it, which one it is and when. */
export const STAMP_BYTES = 32;
