import { constants, type Http2Session, type ServerHttp2Stream } from 'node:http2';
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  status,
} from '@grpc/grpc-js';
import type { ClientConnection } from '../../mailbox/lifetime/client-presence.js';
import type { FairTurns } from '../../timing/fair-turns.js';
import { EdgeError } from '../codec/edge-error.js';
import { sidecarFailure } from '../codec/failure.js';
import { BatchFrame } from '../codec/receive-frames.js';
import { type SentStatus, statusError } from '../codec/status.js';
import type { CallSpan } from '../codec/tracing.js';
import { ByMetadata, http2StreamOf, interceptStatus } from '../transport/internals.js';
import { RequestInput } from '../transport/request-input.js';
import { clientConnectionOf } from '../transport/sessions/client-connections.js';
import { compressionRefused, requestTooLarge } from '../transport/transport-status.js';
import type { Admission } from './call-gate.js';
import type { ClientUse } from './call-limits.js';
import type { SweptCall } from './call-sweep.js';
import type { MethodInfo } from './methods.js';
import type { ResponseBudget } from './response-budget.js';

type Listener = Parameters<ServerInterceptingCall['start']>[0];

const MAILBOX_SERVICE = 'spread.sidecar.v1.MailboxService';
/** Requests of health and reflection contain only names. */
const MAX_SMALL_REQUEST_BYTES = 4096;
const SMALL_REQUEST_LIMIT = 'http2.smallRequests';

/** Bytes of a response with the cost of a small unary call. */
const RESPONSE_BYTES_PER_CALL = 2048;

/** The responses of these methods are small and must arrive, because they contain the outcome of a request. */
const FREE: ReadonlySet<string> = new Set([
  'Connect',
  'Disconnect',
  'Join',
  'Leave',
  'Multicast',
  'MulticastStream',
  'Receive',
  'Acknowledge',
]);
const isFree = ({ service, method }: MethodInfo): boolean =>
  service === 'grpc.health.v1.Health' || (service === MAILBOX_SERVICE && FREE.has(method));

/** The error of a client that does not read the responses to its calls. */
export function responsesUnread(max: number, outcome: 'not-sent' | 'unknown'): EdgeError {
  const bound = `${max} bytes`;
  const message = `this connection has too many unread responses; the limit for the unread responses of all clients is ${bound}`;
  const metadata = { limit: 'limits.maxUnsentResponseBytes', bound, outcome };
  return new EdgeError('TOO_MANY_CALLS', message, metadata, { retryDelayMs: RETRY_MS });
}

/** Unit: ms. */
const RETRY_MS = 1000;

const callsByMetadata = new ByMetadata<ObservedCall>();

/** Returns the call whose handler received this metadata. */
export function observedCall(metadata: Metadata): ObservedCall {
  const call = callsByMetadata.get(metadata);
  if (!call) throw new Error('the server lacks the interceptor of OpenCalls');
  return call;
}

/** An accepted call. */
export interface Entry {
  readonly admission: Admission;
  /** The usage of the client. */
  readonly use: ClientUse;
}

/** Called during the life of a call. */
export interface CallWatcher {
  /** Largest possible size of a compressed message. Undefined if compression is not allowed. Unit: bytes. */
  readonly maxCompressedBytes: number | undefined;
  /** Responses that clients have not read. */
  readonly responses: ResponseBudget;
  /** Shares the event loop between connections. */
  readonly turns: FairTurns;
  /** Bytes of a request arrived. */
  arrived(bytes: number): void;
  /** Accepts the call, or returns the status that rejects it. */
  admit(call: ObservedCall, base: ServerInterceptingCallInterface, metadata: Metadata): Entry | SentStatus;
  /** A message of the client was read. */
  received(call: ObservedCall): void;
  /** A message was passed to the transport. */
  sent(call: ObservedCall): void;
  /** The call exceeded a limit. */
  reached(limit: string): void;
  /** The call has its status. */
  finished(call: ObservedCall, code: number): void;
  /** The call's stream is closed. */
  closed(call: ObservedCall): void;
  /**
   * Replaces a status without details that grpc-js itself created, for example for a message above the size limit.
   */
  describe(status: SentStatus): SentStatus;
}

/**
 * The innermost wrapper of a call: sees its true end and can delay its reads.
 *  grpc-js sends some statuses from below every interceptor (the deadline passed, a message is too large, its
 * compression is broken) and reports only "cancelled" to the layers above. They all use `sendStatus` of the
 * innermost call, so that is the one method replaced on it.
 *  The message methods pass straight through: the default implementation creates closures for every message.
 */
export class ObservedCall extends ServerInterceptingCall implements SweptCall {
  readonly startedAt = performance.now();
  /** Also called when it is closed already. */
  readonly connection: Http2Session | undefined;
  /** Only of an accepted unary call, and while tracing is on. */
  span: CallSpan | undefined;
  readonly #base: ServerInterceptingCallInterface;
  readonly #stream: ServerHttp2Stream | undefined;
  readonly #watcher: CallWatcher;
  readonly #input: RequestInput | undefined;
  #deadlineAt = Number.POSITIVE_INFINITY;
  #finished = false;
  #hasRequest = false;
  #halfClosed = false;
  #entry: Entry | undefined;
  #onFinished: () => void = () => {};
  #readCredits = Number.POSITIVE_INFINITY;
  #readWanted = false;
  /** Bytes of the response that count in the budget of its connection. */
  #unsentCounted = 0;
  #unsentOf: unknown;

  constructor(
    base: ServerInterceptingCallInterface,
    readonly method: MethodInfo,
    watcher: CallWatcher,
  ) {
    super(base);
    this.#base = base;
    this.#watcher = watcher;
    this.#stream = http2StreamOf(base);
    this.connection = this.#stream?.session;
    this.#input = this.#stream && this.#watchInput(this.#stream);
    interceptStatus(base, (given) => {
      const described = given.code === status.OK ? given : this.#watcher.describe(given);
      this.#finish(described.code ?? status.UNKNOWN);
      return described;
    });
  }

  override start(listener: Listener): void {
    let started = false;
    this.#base.start({
      onReceiveMetadata: (metadata) => {
        started = true;
        // grpc-js has created the deadline in this turn from the wall clock, which can change later.
        this.#deadlineAt = performance.now() + (Number(this.#base.getDeadline()) - Date.now());
        const answer = this.#watcher.admit(this, this.#base, metadata);
        if (!('admission' in answer)) {
          this.#refuse(answer);
          return;
        }
        this.#entry = answer;
        callsByMetadata.set(metadata, this);
        listener.onReceiveMetadata(metadata);
      },
      onReceiveMessage: (message) => {
        this.#watcher.received(this);
        this.#hasRequest = true;
        // A message that was allowed one at a time counts until the next one is allowed. The only message of other methods
        // counts until it is processed.
        if (this.#isStreamOfRequests && this.#readCredits === Number.POSITIVE_INFINITY)
          this.#input?.handedOver();
        listener.onReceiveMessage(message);
      },
      onReceiveHalfClose: () => {
        this.#hasRequest = true;
        this.#halfClosed = true;
        // Data of a waiting unary call, such as the payload of a Multicast, is part of the bytes of its request.
        if (this.method.type !== 'unary') this.#input?.clear();
        listener.onReceiveHalfClose();
      },
      onCancel: () => {
        this.#finish(status.CANCELLED);
        if (this.#entry !== undefined) listener.onCancel();
      },
    });
    // The listener gets no event for a stream that was reset before its call began.
    if (!started) this.#finish(status.CANCELLED);
  }

  /** The accepted call. Undefined until then. */
  get entry(): Entry | undefined {
    return this.#entry;
  }

  /** The client's deadline by the monotonic clock. Infinity: none. Unit: ms. */
  get deadlineAt(): number {
    return this.#deadlineAt;
  }

  /** The connection for mailboxes. */
  get clientConnection(): ClientConnection | undefined {
    return clientConnectionOf(this.connection);
  }

  get awaitsRequest(): boolean {
    return this.#isStreamOfRequests ? !this.#hasRequest : !this.#halfClosed;
  }

  get bufferedBytes(): number {
    return this.#input?.bufferedBytes ?? 0;
  }

  /** grpc-js ends a unary call only after the client has read its response. */
  get isResponseComplete(): boolean {
    return this.#finished || (this.method.type === 'unary' && this.unsentBytes > 0);
  }

  get unsentBytes(): number {
    return this.#stream?.writableLength ?? 0;
  }

  /** The caller's identity. */
  get caller(): string {
    return this.#letIn.admission.caller;
  }

  /**
   * Registers the one listener that is called when the call has its status, also a status that the handler did not
   * send.
   */
  onFinished(listener: () => void): void {
    this.#onFinished = listener;
  }

  /** The usage of the client. */
  get use(): ClientUse {
    return this.#letIn.use;
  }

  /** Only for an accepted call; every call with a handler is accepted. */
  get #letIn(): Entry {
    if (this.#entry === undefined) throw new Error('the call was rejected');
    return this.#entry;
  }

  override sendMetadata(metadata: Metadata): void {
    this.#base.sendMetadata(metadata);
  }

  override sendMessage(message: unknown, callback: () => void): void {
    // After a status that the handler did not send (a drain), the handler may not know of it yet.
    const stream = this.#stream;
    if (this.#finished || stream?.destroyed || stream?.closed) return;
    if (!isFree(this.method) && !this.#watcher.responses.hasRoom(this.connection)) {
      this.#failUnread();
      return;
    }
    this.#watcher.sent(this);
    if (message instanceof BatchFrame && stream?.headersSent) this.#writeBatch(stream, message, callback);
    else {
      const unsentBefore = this.unsentBytes;
      this.#base.sendMessage(message, callback);
      this.noteUnsent();
      const bytes = this.unsentBytes - unsentBefore;
      if (bytes > RESPONSE_BYTES_PER_CALL) this.spendTurn(bytes / RESPONSE_BYTES_PER_CALL);
    }
  }

  noteUnsent(): void {
    // Events count in the queues of their mailboxes.
    if (this.method.method === 'Receive' && this.method.service === MAILBOX_SERVICE) return;
    const stream = this.#stream;
    const unsent = stream === undefined || stream.destroyed ? 0 : stream.writableLength;
    this.#unsentOf ??= this.connection;
    this.#watcher.responses.change(this.#unsentOf, unsent - this.#unsentCounted);
    this.#unsentCounted = unsent;
  }

  /** The client does not read the responses to its calls. */
  #failUnread(): void {
    const error = responsesUnread(this.#watcher.responses.totalBytes, 'unknown');
    this.#watcher.reached(error.metadata.limit!);
    this.fail(error);
  }

  /**
   * Sends a message like grpc-js, but without its two copies, because most of the sent bytes go through here. Not
   * for the first message, which sends the headers.
   */
  #writeBatch(stream: ServerHttp2Stream, frame: BatchFrame, callback: () => void): void {
    const parts = frame.parts();
    const last = parts.pop()!;
    stream.cork();
    for (const part of parts) stream.write(part);
    stream.write(last, (error) => {
      if (error) this.sendStatus({ code: status.INTERNAL, details: 'Internal server error', metadata: null });
      else callback();
    });
    stream.uncork();
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
   * From now on, only one message is read, and one more for each allowRead(). Pausing the call's own stream is not
   * enough: it reads on until its buffer has 16 messages, each up to the size limit.
   */
  readOneAtATime(): void {
    this.#readCredits = 1;
  }

  allowRead(): void {
    this.#input?.handedOver();
    if (this.#readWanted) {
      this.#readWanted = false;
      this.#base.startRead();
    } else {
      this.#readCredits = 1;
    }
  }

  /**
   * Runs work of this call, now or after the turns of other connections. @param expected - in small unary calls
   */
  takeTurn(task: () => void, expected: number): void {
    this.#watcher.turns.run(this.connection ?? this, task, expected);
  }

  /** Counts work of this call against its connection. @param cost - in small unary calls */
  spendTurn(cost: number): void {
    this.#watcher.turns.charge(this.connection ?? this, cost);
  }

  fail(error: EdgeError): void {
    // The accepted encodings, as gRPC's header.
    const encodings: Record<string, string> =
      error.reason === 'COMPRESSION_NOT_SUPPORTED' ? { 'grpc-accept-encoding': 'identity' } : {};
    const end = statusError(sidecarFailure(error), encodings);
    if (this.#stream?.headersSent) this.sendStatus(end);
    else this.#refuse(end);
  }

  abandon(): void {
    this.#stream?.close(constants.NGHTTP2_CANCEL);
  }

  get #isStreamOfRequests(): boolean {
    return this.method.type === 'bidi_stream' || this.method.type === 'client_stream';
  }

  #watchInput(stream: ServerHttp2Stream): RequestInput {
    stream.once('close', () => {
      this.noteUnsent();
      this.#watcher.closed(this);
    });
    const { maxCompressedBytes } = this.#watcher;
    const maxBytes =
      this.method.service === MAILBOX_SERVICE ? Number.POSITIVE_INFINITY : MAX_SMALL_REQUEST_BYTES;
    const onUnusual = (what: 'compressed' | 'too large') => {
      if (what === 'too large') {
        this.#watcher.reached(SMALL_REQUEST_LIMIT);
        this.fail(requestTooLarge(maxBytes, SMALL_REQUEST_LIMIT));
        return false;
      }
      if (maxCompressedBytes !== undefined) return true;
      this.fail(
        compressionRefused(
          'but this sidecar does not accept compressed requests; send it without compression, or set limits.compressedRequests',
        ),
      );
      return false;
    };
    return new RequestInput(stream, maxCompressedBytes ?? 0, maxBytes, onUnusual, (bytes) =>
      this.#watcher.arrived(bytes),
    );
  }

  /**
   * Ends a call without a response. The client is told to stop sending, because its stream would stay open
   * otherwise.
   */
  #refuse(answer: SentStatus): void {
    this.#base.sendStatus(answer);
    this.#stream?.close(constants.NGHTTP2_NO_ERROR);
  }

  #finish(code: number): void {
    if (this.#finished) return;
    this.#finished = true;
    if (this.method.type === 'unary') this.#input?.clear();
    this.#watcher.finished(this, code);
    this.#onFinished();
  }
}
