import type { MeasuredOrder, WarmUpRule } from './warm-up.js';

/** The connection between a role and the measured server. */
export type PeerSpec =
  | { readonly kind: 'session'; readonly address: string }
  | { readonly kind: 'sidecar'; readonly target: string; readonly sends: 'stream' | 'unary' | 'concurrent' }
  | { readonly kind: 'nats'; readonly port: number }
  | { readonly kind: 'redis'; readonly port: number }
  | { readonly kind: 'dapr'; readonly port: number }
  /** A bare grpc-js server: messages between two streams, or unary calls. */
  | { readonly kind: 'grpc-relay' | 'grpc-unary'; readonly port: number };

interface Common {
  readonly peer: PeerSpec;
}

/** Sends messages of `size` bytes, to the topics in turn. */
export interface SendOrder extends Common {
  readonly job: 'send';
  readonly topics: readonly string[];
  readonly size: number;
  /** Undefined: sends until the driver stops the role. */
  readonly count?: number;
  /**
   * Largest number of messages without a confirmation from the receivers. Without `creditPath`, receivers confirm
   * nothing.
   */
  readonly window: number;
  readonly creditPath?: string;
  /** Messages per second. Undefined: as fast as the peer accepts messages. */
  readonly rate?: number;
}

/** Receives on one connection for each topic, until the driver stops the role. */
export interface ReceiveOrder extends Common {
  readonly job: 'receive';
  readonly topics: readonly string[];
  /** Messages of all connections together. Undefined: the role is not measured. */
  readonly measured?: MeasuredOrder;
  /** Whether each connection gets every message (one topic, many members), or each its own share. */
  readonly each: 'all' | 'share';
  readonly creditPath?: string;
  /** Number of messages between two confirmations. */
  readonly creditEvery?: number;
}

/** Sends to its own topic and receives its own messages, `window` messages ahead, like spflooder without flags. */
export interface LoopOrder extends Common {
  readonly job: 'loop';
  readonly topic: string;
  readonly size: number;
  readonly measured: MeasuredOrder;
  readonly window: number;
}

/**
 * `ping`: sends a message each `periodMs` and measures the time until the reply, like spping. `call`: measures the
 * time until the send is done.
 */
export interface PingOrder extends Common {
  readonly job: 'ping' | 'call';
  readonly topic: string;
  readonly size: number;
  /** Undefined: without a warm-up. */
  readonly warmUp?: WarmUpRule | undefined;
  readonly count: number;
  /** 0: each message waits for the reply to the previous one. */
  readonly periodMs: number;
}

/** Answers pings until the driver stops the role. */
export interface ReflectOrder extends Common {
  readonly job: 'reflect';
  readonly topic: string;
}

/** Joins and leaves a topic. Each join and each leave waits for its confirmation. */
export interface ChurnOrder extends Common {
  readonly job: 'churn';
  readonly topic: string;
  readonly measured: MeasuredOrder;
}

/** Opens connections, each a member of its own topic, and keeps them open until the driver stops the role. */
export interface HoldOrder extends Common {
  readonly job: 'hold';
  readonly topics: readonly string[];
}

/** Sends as fast as the sidecar accepts messages. The clock stops when the sidecar has accepted all messages. */
export interface AcceptOrder extends Common {
  readonly job: 'accept';
  readonly topic: string;
  readonly size: number;
  readonly measured: MeasuredOrder;
}

/**
 * Opens a mailbox, joins, and receives nothing until the message `take`. Then one Receive reads the requested
 * number of events. `raw` counts the events in the frames without decoding them, which separates the sidecar's
 * speed from the client's.
 */
export interface DrainOrder {
  readonly job: 'drain';
  readonly target: string;
  readonly topic: string;
  readonly raw: boolean;
}

/** Answers requests to `group`, and sends each message of the topic `bare` back, until the driver stops the role. */
export interface ServeOrder {
  readonly job: 'serve';
  readonly target: string;
  readonly group: string;
  readonly bare: string;
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
  | DrainOrder
  | ServeOrder;

/** The result of a role. Times are from the machine's monotonic clock, which all processes share. */
export interface RoleAnswer {
  /** Duration of the measured part in seconds. 0 for a role that is not measured itself. */
  readonly seconds: number;
  /** Processor time from `go` to the result, including the warm-up, in seconds. */
  readonly cpuSeconds: number;
  /** Round trips, in microseconds. */
  readonly samples?: readonly number[];
  /** Number of messages of the warm-up. */
  readonly warmUp?: number;
}

/** From the driver to a role. */
export type ToRole =
  | { readonly say: 'go' }
  | { readonly say: 'stop' }
  | { readonly say: 'take'; readonly count: number };

/** From a role to the driver. */
export type FromRole =
  | { readonly say: 'ready' }
  | { readonly say: 'warm' }
  | { readonly say: 'answer'; readonly answer: RoleAnswer }
  | { readonly say: 'failed'; readonly why: string };
