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
/** Health and reflection ask for names. */
const MAX_SMALL_REQUEST_BYTES = 4096;
const SMALL_REQUEST_LIMIT = 'http2.smallRequests';

/** Bytes of a response that cost as much as a small unary call. */
const RESPONSE_BYTES_PER_CALL = 2048;

/** What these answer is small, and must arrive: it says what became of a request. */
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

/** A client does not read the responses to its calls. */
export function responsesUnread(max: number, outcome: 'not-sent' | 'unknown'): EdgeError {
  const bound = `${max} bytes`;
  const message = `responses that clients have not read hold much of at most ${bound}, and this connection has its share`;
  const metadata = { limit: 'limits.maxUnsentResponseBytes', bound, outcome };
  return new EdgeError('TOO_MANY_CALLS', message, metadata, { retryDelayMs: RETRY_MS });
}

/** Unit: ms. */
const RETRY_MS = 1000;

const callsByMetadata = new ByMetadata<ObservedCall>();

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

/** Called for the life of a call. */
export interface CallWatcher {
  /** What a compressed message may become; undefined where there may be none. Unit: bytes. */
  readonly maxCompressedBytes: number | undefined;
  /** What clients have not taken. */
  readonly responses: ResponseBudget;
  /** Shares the event loop between connections. */
  readonly turns: FairTurns;
  /** Bytes of a request arrived. */
  arrived(bytes: number): void;
  /** Lets the call in, or answers with the status that rejects it. */
  admit(call: ObservedCall, base: ServerInterceptingCallInterface, metadata: Metadata): Entry | SentStatus;
  /** A message of the client's was read. */
  received(call: ObservedCall): void;
  /** A message was given to the transport. */
  sent(call: ObservedCall): void;
  /** It ran into a limit. */
  reached(limit: string): void;
  /** It has a status. */
  finished(call: ObservedCall, code: number): void;
  /** Nothing is left of it. */
  closed(call: ObservedCall): void;
  /** A status without details that grpc-js itself made, such as for a message over the size limit. */
  describe(status: SentStatus): SentStatus;
}

/**
 * The innermost wrapper of a call: sees its true end and can hold back its reads.
 *
 * grpc-js sends some statuses from below every interceptor (the deadline passed, a message is too large,
 * its compression is broken) and reports only "cancelled" to the layers above. They all go through
 * `sendStatus` of the innermost call, so that is the one method replaced on it.
 *
 * The message methods pass straight through: the default implementation makes closures for every message.
 */
export class ObservedCall extends ServerInterceptingCall implements SweptCall {
  readonly startedAt = performance.now();
  /** Also when it is closed already. */
  readonly connection: Http2Session | undefined;
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
  /** Bytes of its answer that count in the budget, as its connection's. */
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
    let begun = false;
    this.#base.start({
      onReceiveMetadata: (metadata) => {
        begun = true;
        // grpc-js has made the deadline in this turn, as a time of the wall clock, which may be set meanwhile.
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
        // What is let in one at a time counts until the next one is; the one message of other methods until it is processed.
        if (this.#isStreamOfRequests && this.#readCredits === Number.POSITIVE_INFINITY)
          this.#input?.handedOver();
        listener.onReceiveMessage(message);
      },
      onReceiveHalfClose: () => {
        this.#hasRequest = true;
        this.#halfClosed = true;
        // What a unary call waits with, such as the payload of a Multicast, lies in the bytes of its request.
        if (this.method.type !== 'unary') this.#input?.clear();
        listener.onReceiveHalfClose();
      },
      onCancel: () => {
        this.#finish(status.CANCELLED);
        if (this.#entry !== undefined) listener.onCancel();
      },
    });
    // The listener gets no event for a stream that was reset before its call began.
    if (!begun) this.#finish(status.CANCELLED);
  }

  /** How it was let in; undefined until then. */
  get entry(): Entry | undefined {
    return this.#entry;
  }

  /** When its client gives up, by the monotonic clock; Infinity: never. Unit: ms. */
  get deadlineAt(): number {
    return this.#deadlineAt;
  }

  /** The connection as mailboxes know it. */
  get clientConnection(): ClientConnection | undefined {
    return clientConnectionOf(this.connection);
  }

  get awaitsRequest(): boolean {
    return this.#isStreamOfRequests ? !this.#hasRequest : !this.#halfClosed;
  }

  get bufferedBytes(): number {
    return this.#input?.bufferedBytes ?? 0;
  }

  /** grpc-js ends a unary call only when its answer was taken. */
  get isResponseComplete(): boolean {
    return this.#finished || (this.method.type === 'unary' && this.unsentBytes > 0);
  }

  get unsentBytes(): number {
    return this.#stream?.writableLength ?? 0;
  }

  /** Who calls. */
  get caller(): string {
    return this.#letIn.admission.caller;
  }

  /** Calls back when the call has its status, also one that comes from elsewhere than its handler. One listener. */
  onFinished(listener: () => void): void {
    this.#onFinished = listener;
  }

  /** What its client uses. */
  get use(): ClientUse {
    return this.#letIn.use;
  }

  /** For a call that was let in, as every call was that has a handler. */
  get #letIn(): Entry {
    if (this.#entry === undefined) throw new Error('the call was rejected');
    return this.#entry;
  }

  override sendMetadata(metadata: Metadata): void {
    this.#base.sendMetadata(metadata);
  }

  override sendMessage(message: unknown, callback: () => void): void {
    // After a status that came from elsewhere (a drain) the handler may not have heard of it yet.
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

  /** Its client does not read what it asked for. */
  #failUnread(): void {
    const error = responsesUnread(this.#watcher.responses.totalBytes, 'unknown');
    this.#watcher.reached(error.metadata.limit!);
    this.fail(error);
  }

  /**
   * What grpc-js does with a message, but without its two copies: most of what this process sends goes here. Its first
   * message, which sends the headers, is none of these.
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
   * From now on only one message is let in, and one more for each allowRead(). Pausing the call's own stream
   * is not enough: it continues to read until 16 messages, of up to the size limit each, lie in its buffer.
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

  /** Runs work of this call, now or when other connections had their turn. @param expected - in small unary calls */
  takeTurn(task: () => void, expected: number): void {
    this.#watcher.turns.run(this.connection ?? this, task, expected);
  }

  /** Counts work of this call against its connection. @param cost - in small unary calls */
  spendTurn(cost: number): void {
    this.#watcher.turns.charge(this.connection ?? this, cost);
  }

  fail(error: EdgeError): void {
    // What would be taken, as gRPC has it.
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
      this.fail(compressionRefused('this sidecar takes none that is'));
      return false;
    };
    return new RequestInput(stream, maxCompressedBytes ?? 0, maxBytes, onUnusual, (bytes) =>
      this.#watcher.arrived(bytes),
    );
  }

  /**
   * Ends a call that was not answered yet. What its client still sends is not wanted: it is told so, or its stream would stay
   * open.
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
