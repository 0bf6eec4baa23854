// What the gRPC edge tells about calls and messages while tracing is on. While tracing is off, there is no object of
// these types.
import type { Headers } from '../../envelope/envelope.js';

/** Reads a field of the metadata of a call. */
export type ReadField = (name: string) => string | undefined;

/** The parent of spans. Only the implementation interprets it. */
export type TraceContext = object;

/** A message that a client sends or receives. */
export interface TracedMessage {
  /** Groups and private groups. */
  readonly groups: readonly string[];
  readonly headers: Headers;
  /** Size of the payload without its envelope. */
  readonly bodyBytes: number;
  /** The private group of the mailbox. */
  readonly mailbox: string;
  /** Number of messages in the batch. 1 for a unary call. */
  readonly batchMessages: number;
}

/** A message on its way to a receiver. */
export interface DeliveredMessage extends TracedMessage {
  readonly sender: string;
  /** Milliseconds since 1970. */
  readonly receivedAtMs: number;
}

/** The span of a unary call. */
export interface CallSpan {
  /** The parent of the call's messages. */
  readonly context: TraceContext;
  /** Runs work of the call, so that log lines and metrics belong to the span. */
  run<Result>(work: () => Result): Result;
  /** @param code - number of the gRPC status */
  end(code: number): void;
}

/** The span of one message. */
export interface MessageSpan {
  end(error?: unknown): void;
}

/** The span of a delivered message. */
export interface DeliverySpan extends MessageSpan {
  /** Runs work of the delivery, so that metrics belong to the span. */
  run(work: () => void): void;
}

/** The span of a sent message. */
export interface SendSpan extends MessageSpan {
  /** The headers of the message, with the span as its trace. */
  readonly headers: Headers;
}

/** Creates spans. No method may throw. */
export interface Tracing {
  startCall(service: string, method: string, metadata: ReadField): CallSpan;
  /** The parent of messages of a call without a span. */
  contextOf(metadata: ReadField): TraceContext;
  /** @param parent - the parent of a message whose headers have no trace */
  startSend(message: TracedMessage, parent: TraceContext): SendSpan;
  startReceive(message: DeliveredMessage): DeliverySpan;
}
