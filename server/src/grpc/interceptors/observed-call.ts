import { constants } from 'node:http2';
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  status,
} from '@grpc/grpc-js';
import { http2StreamOf } from '../http2-access.js';
import type { ClientUse } from '../limits/call-limits.js';
import type { MethodInfo } from '../methods.js';
import type { Admission } from '../security/call-gate.js';
import type { SentStatus } from '../status.js';

type Listener = Parameters<ServerInterceptingCall['start']>[0];

const callsByMetadata = new WeakMap<Metadata, ObservedCall>();

/** The call that a handler was given this metadata with. */
export function observedCall(metadata: Metadata): ObservedCall {
  const call = callsByMetadata.get(metadata);
  if (!call) throw new Error('the server lacks the interceptor of OpenCalls');
  return call;
}

/** A call that was let in. */
export interface Entry {
  readonly admission: Admission;
  /** What its client uses. */
  readonly use: ClientUse;
}

/** Told about the life of a call. */
export interface CallWatcher {
  /** Lets the call in, or answers with the status that refuses it. */
  admit(call: ObservedCall, base: ServerInterceptingCallInterface, metadata: Metadata): Entry | SentStatus;
  /** The stream of a call that was let in is closed: nothing of the call is left. */
  closed(entry: Entry): void;
  finished(call: ObservedCall, code: number): void;
  /** A status without details that grpc-js itself made, such as for a message over the size limit. */
  describe(status: SentStatus): SentStatus;
}

/**
 * The innermost wrapper of a call: sees its true end and can hold back its reads.
 *
 * grpc-js sends some statuses from below every interceptor (the deadline passed, a message is too large,
 * its compression is broken) and tells the layers above no more than "cancelled". They all go through
 * `sendStatus` of the innermost call, so that is the one method replaced on it.
 *
 * The message methods pass straight through: the default implementation makes closures for every message.
 */
export class ObservedCall extends ServerInterceptingCall {
  readonly startedAt = performance.now();
  readonly #base: ServerInterceptingCallInterface;
  readonly #watcher: CallWatcher;
  #finished = false;
  #hasRequest = false;
  #entry: Entry | undefined;
  #readCredits = Number.POSITIVE_INFINITY;
  #readWanted = false;

  constructor(
    base: ServerInterceptingCallInterface,
    readonly method: MethodInfo,
    watcher: CallWatcher,
  ) {
    super(base);
    this.#base = base;
    this.#watcher = watcher;
    const send = base.sendStatus.bind(base);
    base.sendStatus = (given) => {
      const described = given.code === status.OK ? given : this.#watcher.describe(given);
      this.#finish(described.code ?? status.UNKNOWN);
      send(described);
    };
  }

  override start(listener: Listener): void {
    let begun = false;
    this.#base.start({
      onReceiveMetadata: (metadata) => {
        begun = true;
        const answer = this.#watcher.admit(this, this.#base, metadata);
        if (!('admission' in answer)) {
          this.refuse(answer);
          return;
        }
        this.#entry = answer;
        http2StreamOf(this.#base)?.once('close', () => this.#watcher.closed(answer));
        callsByMetadata.set(metadata, this);
        listener.onReceiveMetadata(metadata);
      },
      onReceiveMessage: (message) => {
        this.#hasRequest = true;
        listener.onReceiveMessage(message);
      },
      onReceiveHalfClose: () => {
        this.#hasRequest = true;
        listener.onReceiveHalfClose();
      },
      onCancel: () => {
        this.#finish(status.CANCELLED);
        if (this.#entry !== undefined) listener.onCancel();
      },
    });
    // A stream that was reset before its call began never tells the listener.
    if (!begun) this.#finish(status.CANCELLED);
  }

  /** Whether its first message has come, or the client has said that there is none. */
  get hasRequest(): boolean {
    return this.#hasRequest;
  }

  /** How it was let in; undefined until then. */
  get admission(): Admission | undefined {
    return this.#entry?.admission;
  }

  /** Who calls. */
  get caller(): string {
    return this.#letIn.admission.caller;
  }

  /** What its client uses. */
  get use(): ClientUse {
    return this.#letIn.use;
  }

  /** For a call that was let in, as every call was that has a handler. */
  get #letIn(): Entry {
    if (this.#entry === undefined) throw new Error('the call was not let in');
    return this.#entry;
  }

  override sendMetadata(metadata: Metadata): void {
    this.#base.sendMetadata(metadata);
  }

  override sendMessage(message: unknown, callback: () => void): void {
    // After a status that came from elsewhere (a drain) the handler may not have heard of it yet.
    if (!this.#finished) this.#base.sendMessage(message, callback);
  }

  override sendStatus(given: SentStatus): void {
    this.#base.sendStatus(given);
  }

  override startRead(): void {
    if (this.#readCredits === 0) {
      this.#readWanted = true;
      return;
    }
    this.#readCredits--;
    this.#base.startRead();
  }

  /**
   * From now on only one message is let in, and one more for each allowRead(). Pausing the call's own stream
   * is not enough: it goes on reading until 16 messages, of up to the size limit each, lie in its buffer.
   */
  readOneAtATime(): void {
    this.#readCredits = 1;
  }

  allowRead(): void {
    if (this.#readWanted) {
      this.#readWanted = false;
      this.#base.startRead();
    } else {
      this.#readCredits = 1;
    }
  }

  /** Ends it. What the client still sends is not wanted: it is told so, or its stream would stay open. */
  refuse(answer: SentStatus): void {
    this.#base.sendStatus(answer);
    http2StreamOf(this.#base)?.close(constants.NGHTTP2_NO_ERROR);
  }

  #finish(code: number): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#watcher.finished(this, code);
  }
}
