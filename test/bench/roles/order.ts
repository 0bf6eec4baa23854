/** How a role reaches what it measures. */
export type PeerSpec =
  | { readonly kind: 'session'; readonly address: string }
  | { readonly kind: 'sidecar'; readonly target: string; readonly sends: 'stream' | 'unary' | 'concurrent' }
  | { readonly kind: 'nats'; readonly port: number }
  | { readonly kind: 'redis'; readonly port: number };

interface Common {
  readonly peer: PeerSpec;
}

/** Sends `warmUp + count` messages of `size` bytes, to the topics in turn. */
export interface SendOrder extends Common {
  readonly job: 'send';
  readonly topics: readonly string[];
  readonly size: number;
  readonly warmUp: number;
  readonly count: number;
  /** Most messages that no receiver has confirmed; without a `creditPath` nobody confirms. */
  readonly window: number;
  readonly creditPath?: string;
  /** Messages a second; undefined: as fast as they are taken. */
  readonly rate?: number;
  /** With a rate: sends until it is told to stop instead of to a count. */
  readonly untilStopped?: boolean;
}

/** Receives on so many connections as there are topics. */
export interface ReceiveOrder extends Common {
  readonly job: 'receive';
  readonly topics: readonly string[];
  /** Messages of all connections together before the clock starts, and while it runs. */
  readonly warmUp: number;
  readonly count: number;
  /** Whether each connection gets every message (one topic, many members), or each its own share. */
  readonly each: 'all' | 'share';
  readonly creditPath?: string;
  /** How many messages a confirmation is for. */
  readonly creditEvery?: number;
  readonly untilStopped?: boolean;
}

/** Sends to its own topic and receives what it sent, `window` messages ahead, as spflooder does without flags. */
export interface LoopOrder extends Common {
  readonly job: 'loop';
  readonly topic: string;
  readonly size: number;
  readonly warmUp: number;
  readonly count: number;
  readonly window: number;
}

/** Sends a message each `periodMs` and takes the time until its answer is there, as spping does. */
export interface PingOrder extends Common {
  readonly job: 'ping';
  readonly topic: string;
  readonly size: number;
  readonly warmUp: number;
  readonly count: number;
  readonly periodMs: number;
}

/** Answers pings, until it is told to stop. */
export interface ReflectOrder extends Common {
  readonly job: 'reflect';
  readonly topic: string;
}

/** Joins and leaves a topic, each time until it is done. */
export interface ChurnOrder extends Common {
  readonly job: 'churn';
  readonly topic: string;
  readonly warmUp: number;
  readonly count: number;
}

/** Opens connections, each a member of its own topic, and keeps them until it is told to stop. */
export interface HoldOrder extends Common {
  readonly job: 'hold';
  readonly topics: readonly string[];
}

/** Sends as fast as the sidecar takes messages; the clock stops when all are accepted. */
export interface AcceptOrder extends Common {
  readonly job: 'accept';
  readonly topic: string;
  readonly size: number;
  readonly warmUp: number;
  readonly count: number;
}

/**
 * Opens a mailbox, joins, and receives nothing until it is told `take`: then so many events, by one Receive. `raw`
 * counts the events in the frames instead of making objects of them, to tell the sidecar's speed from the client's.
 */
export interface DrainOrder {
  readonly job: 'drain';
  readonly target: string;
  readonly topic: string;
  readonly raw: boolean;
}

export type RoleOrder =
  | SendOrder
  | ReceiveOrder
  | LoopOrder
  | PingOrder
  | ReflectOrder
  | ChurnOrder
  | HoldOrder
  | AcceptOrder
  | DrainOrder;

/** What a role answers. Times are of the machine's monotonic clock, the same in all processes. */
export interface RoleAnswer {
  /** How long the measured part took, in seconds; 0 for a role that only takes part. */
  readonly seconds: number;
  /** Processor time from `go` to the answer, warm-up included, in seconds. */
  readonly cpuSeconds: number;
  /** Round trips, in microseconds. */
  readonly samples?: readonly number[];
}

/** From the driver to a role. */
export type ToRole =
  | { readonly say: 'go' }
  | { readonly say: 'stop' }
  | { readonly say: 'take'; readonly count: number };

/** From a role to the driver. */
export type FromRole =
  | { readonly say: 'ready' }
  | { readonly say: 'answer'; readonly answer: RoleAnswer }
  | { readonly say: 'failed'; readonly why: string };
