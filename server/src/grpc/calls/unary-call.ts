import type { handleUnaryCall, Metadata, ServerUnaryCall } from '@grpc/grpc-js';
import type { ClientConnection } from '../../mailbox/lifetime/client-presence.js';
import type { FailureTranslator } from '../codec/failure.js';
import { Malformed } from '../codec/malformed.js';
import { malformedError, statusError } from '../codec/status.js';
import type { ClientUse } from './call-limits.js';
import { observedCall } from './observed-call.js';

/** What a handler may know of its call besides the request. */
export interface CallFacts {
  readonly metadata: Metadata;
  /** Who calls: the identity that a mailbox belongs to. */
  readonly caller: string;
  /** The address that the call came from, such as `127.0.0.1:51234`; `unix` for a Unix socket. */
  readonly peer: string;
  /** The connection that the call came over. */
  readonly clientConnection: ClientConnection | undefined;
  /** What the caller uses, of what there are bounds for. */
  readonly use: ClientUse;
  /**
   * Aborts when the caller has gone or the deadline is about to pass; `reason` is a CallEnded. Made on first
   * use: most calls never wait.
   */
  readonly signal: AbortSignal;
}

/** Why a call's signal was aborted. */
export type CallEnded = 'deadline' | 'cancelled';

/** Answers one unary call: the response, or a throw. */
export type UnaryHandler<Request, Response> = (
  request: Request,
  call: CallFacts,
) => Response | Promise<Response>;

/**
 * The part of a deadline that is kept for the answer. The caller's own clock began to run earlier than ours,
 * so what is sent at the deadline comes too late; and only our answer can tell what became of a send.
 */
const RESERVE_PART = 0.05;
const MAX_RESERVE_MS = 100;

/** A grpc-js handler that answers what `handler` gives or throws. */
export function unary<Request, Response>(
  failures: FailureTranslator,
  handler: UnaryHandler<Request, Response>,
): handleUnaryCall<Request | Malformed, Response> {
  return async (call, callback) => {
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
}

class UnaryCallFacts implements CallFacts {
  #controller: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly call: ServerUnaryCall<unknown, unknown>) {}

  get metadata(): Metadata {
    return this.call.metadata;
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
