import type { handleUnaryCall, Metadata, ServerUnaryCall } from '@grpc/grpc-js';
import type { ClientConnection } from '../../mailbox/lifetime/client-presence.js';
import type { FailureTranslator } from '../codec/failure.js';
import { Malformed } from '../codec/malformed.js';
import { malformedError, statusError } from '../codec/status.js';
import type { CallSpan } from '../codec/tracing.js';
import type { ClientUse } from './call-limits.js';
import { observedCall } from './observed-call.js';

/** The properties of a call, besides its request, for its handler. */
export interface CallFacts {
  readonly metadata: Metadata;
  /** Only while tracing is on. */
  readonly span: CallSpan | undefined;
  /** The caller: the identity that owns mailboxes. */
  readonly caller: string;
  /** The address of the caller, such as `127.0.0.1:51234`, or `unix` for a Unix socket. */
  readonly peer: string;
  /** The connection of the call. */
  readonly clientConnection: ClientConnection | undefined;
  /** The usage of the caller that limits apply to. */
  readonly use: ClientUse;
  /**
   * Aborted when the caller has disconnected or the deadline is about to pass. `reason` is a CallEnded. Created on
   * first use, because most calls never wait.
   */
  readonly signal: AbortSignal;
}

/** The reason for the abort of a call's signal. */
export type CallEnded = 'deadline' | 'cancelled';

/** Handles one unary call: returns the response, or throws. */
export type UnaryHandler<Request, Response> = (
  request: Request,
  call: CallFacts,
) => Response | Promise<Response>;

/**
 * The part of a deadline that is reserved for the response. The caller's clock started earlier than the sidecar's,
 * so a response at the deadline is too late, and only the response contains the outcome of a send.
 */
const RESERVE_PART = 0.05;
const MAX_RESERVE_MS = 100;

/** Converts `handler` to a handler of grpc-js, which responds with its result or error. */
export function unary<Request, Response>(
  failures: FailureTranslator,
  handler: UnaryHandler<Request, Response>,
): handleUnaryCall<Request | Malformed, Response> {
  const answer: handleUnaryCall<Request | Malformed, Response> = async (call, callback) => {
    const facts = new UnaryCallFacts(call);
    try {
      if (call.request instanceof Malformed) throw malformedError(call.request);
      callback(null, await handler(call.request, facts));
    } catch (error) {
      callback(statusError(failures.of(error)));
    } finally {
      facts.done();
    }
  };
  return (call, callback) => {
    const { span } = observedCall(call.metadata);
    if (span === undefined) answer(call, callback);
    else span.run(() => answer(call, callback));
  };
}

class UnaryCallFacts implements CallFacts {
  #controller: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly call: ServerUnaryCall<unknown, unknown>) {}

  get metadata(): Metadata {
    return this.call.metadata;
  }

  get span(): CallSpan | undefined {
    return observedCall(this.call.metadata).span;
  }

  get caller(): string {
    return observedCall(this.call.metadata).caller;
  }

  get peer(): string {
    const peer = this.call.getPeer();
    return peer === 'unknown' ? 'unix' : peer;
  }

  get clientConnection(): ClientConnection | undefined {
    return observedCall(this.call.metadata).clientConnection;
  }

  get use(): ClientUse {
    return observedCall(this.call.metadata).use;
  }

  get signal(): AbortSignal {
    this.#controller ??= this.#watch();
    return this.#controller.signal;
  }

  done(): void {
    clearTimeout(this.#timer);
  }

  #watch(): AbortController {
    const controller = new AbortController();
    const abort = (why: CallEnded) => controller.abort(why);
    if (this.call.cancelled) abort('cancelled');
    else this.call.once('cancelled', () => abort('cancelled'));
    const remainingMs = observedCall(this.call.metadata).deadlineAt - performance.now();
    if (remainingMs < 2 ** 31) {
      const reserveMs = Math.min(remainingMs * RESERVE_PART, MAX_RESERVE_MS);
      this.#timer = setTimeout(() => abort('deadline'), remainingMs - reserveMs);
    }
    return controller;
  }
}
