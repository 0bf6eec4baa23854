import type { CallLimits } from '../call.js';
import type { MessageHeaders } from '../headers.js';
import type { SpreadEvent } from '../messages.js';
import type { Payload } from '../outgoing.js';
import type { MailboxOptions } from '../sidecar.js';

/** Options of `openRequestReply`. `membership` is always true. */
export interface RequestReplyOptions
  extends Omit<MailboxOptions, 'membership' | 'autoReceive' | 'manualAcknowledgement'> {
  /** Called for each event that is neither a request nor a reply, such as a view. It must not throw. */
  onEvent?: (event: SpreadEvent) => void;
}

/** Options of a request. */
export interface RequestOptions {
  /** How many replies to wait for, or `'all'`: a reply of each member of the view. Default: 1. */
  replies?: number | 'all';
  /** Maximum time until the result. Unit: ms; more than 0. Default: 30,000. */
  timeoutMs?: number;
  /** Cancels the request, which rejects with CANCELLED. */
  signal?: AbortSignal;
  /** The service type, one of UNRELIABLE_MESS to SAFE_MESS. Default: AGREED_MESS. */
  serviceType?: number;
  /** The application's own number, -32768 to 32767. Default: 0. */
  messageType?: number;
  /** Further headers of the request. */
  headers?: MessageHeaders;
}

/** A request that a handler gets. */
export interface IncomingRequest {
  readonly payload: Buffer;
  /** The private group of the requester. */
  readonly sender: string;
  /** The group, or the private group of this member. */
  readonly group: string;
  readonly messageType: number;
  readonly headers: MessageHeaders;
}

/** The reply of a handler: a payload, or a payload with headers. */
export type HandlerReply = Payload | { payload: Payload; headers?: MessageHeaders };
/** Handles a request. Its error goes to the requester, which gets the message only. */
export type RequestHandler = (request: IncomingRequest) => HandlerReply | Promise<HandlerReply>;

/** Options of `serve`. */
export interface ServeOptions extends CallLimits {
  /** Maximum number of handlers that run at the same time. At least 1. Default: 1, in the order of delivery. */
  concurrency?: number;
  /** Maximum number of requests that wait for a handler. Further requests are rejected. Default: 1,000. */
  maxQueued?: number;
}

/** A group whose requests are handled. */
export interface RequestService {
  readonly group: string;
  /** Stops to handle requests and leaves the group. Requests that wait are rejected. */
  stop(limits?: CallLimits): Promise<void>;
}
