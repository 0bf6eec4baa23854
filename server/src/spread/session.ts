import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { buffers } from '../memory/buffer-pool.js';
import { formatAddress, parseAddress, type SpreadAddress } from './address.js';
import { NULL_AUTH } from './auth.js';
import { ConnectAttempt } from './connect-attempt.js';
import { DirectSocket } from './direct-socket.js';
import { checkHandshake, performHandshake } from './handshake.js';
import { connected, netSocketFactory } from './open-connection.js';
import type {
  OnTaken,
  OutgoingMessage,
  SessionHandlers,
  SessionOptions,
  SessionState,
} from './session-options.js';
import { SpreadError, toSpreadError } from './spread-error.js';
import {
  type Accepted,
  CLIENT_FRAME_LIMITS,
  DEFAULT_MESSAGE_LIMITS,
  decodeMessage,
  encodeDisconnect,
  encodeJoin,
  encodeLeave,
  type Frame,
  FrameDecoder,
  MulticastEncoder,
  type Version,
} from './wire/index.js';
import { WriteBatch } from './write-batch.js';

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_DISCONNECT_TIMEOUT_MS = 2_000;

/**
 * One connection to a Spread daemon after an accepted handshake.
 *  Sends throw SpreadError before sending: the errors of `encodeMulticast` and `encodeJoin`; NET_ERROR_ON_SESSION
 * after the connection was lost; ILLEGAL_SESSION after disconnect or abort. They return false when
 * `sendHighWaterMark` bytes wait: the caller should stop until `onDrain`. Requests are sent in the order of their
 * calls. Those of one turn of the event loop use one system call.
 */
export class Session {
  /** `#name#daemon`: the session's name for other members. */
  readonly privateGroup: string;
  readonly daemonVersion: Version;
  readonly address: SpreadAddress;
  readonly #stream: Duplex;
  readonly #decoder: FrameDecoder;
  readonly #encoder: MulticastEncoder;
  /** Requests of this turn, and the callbacks for their acceptance by the kernel. */
  readonly #batch = new WriteBatch();
  #takers: OnTaken[] = [];
  #state: SessionState = 'open';
  #handlers: SessionHandlers | undefined;
  #end: { error: SpreadError | undefined } | undefined;
  #paused = false;
  #flushScheduled = false;
  #receivedAtMs = 0;

  /**
   * Connects and performs the handshake. Rejects with SpreadError: ILLEGAL_SPREAD (malformed address, unknown
   * host), COULD_NOT_CONNECT (no listener, no Spread daemon, timeout, `signal`), CONNECTION_CLOSED (ended during
   * the handshake), ILLEGAL_TIME (`timeoutMs`), or the daemon's own REJECT code. Nothing is read from the
   * connection after the handshake until `start`.
   */
  static async connect(options: SessionOptions): Promise<Session> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, signal, privateName = '' } = options;
    const address = typeof options.address === 'string' ? parseAddress(options.address) : options.address;
    const request = {
      privateName,
      membership: options.membership ?? true,
      priority: options.priority ?? 0,
      auth: options.auth ?? [NULL_AUTH],
    } as const;
    checkHandshake(request);
    const attempt = new ConnectAttempt(address, timeoutMs, signal);
    let stream: Duplex | undefined;
    try {
      if (signal?.aborted) return await attempt.failed;
      stream = attempt.use((options.socketFactory ?? netSocketFactory(options.sendHighWaterMark))(address));
      const opened = connected(stream, address).then(() => performHandshake(stream as Duplex, request));
      const accepted = await Promise.race([attempt.failed, opened]);
      return new Session(stream, address, accepted, options);
    } catch (error) {
      stream?.on('error', () => {});
      stream?.destroy();
      throw toSpreadError(error);
    } finally {
      attempt.end();
    }
  }

  private constructor(stream: Duplex, address: SpreadAddress, accepted: Accepted, options: SessionOptions) {
    this.#stream = stream;
    this.address = address;
    this.privateGroup = accepted.privateGroup;
    this.daemonVersion = accepted.daemonVersion;
    this.#encoder = new MulticastEncoder(
      accepted.privateGroup,
      options.messageLimits ?? DEFAULT_MESSAGE_LIMITS,
    );
    this.#decoder = new FrameDecoder(
      { role: 'client', limits: options.frameLimits ?? CLIENT_FRAME_LIMITS, memory: buffers },
      this.#onFrame,
    );
    stream.on('error', (error) => this.#lost(error));
    stream.on('end', () => this.#lost());
    stream.on('close', () => this.#lost());
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Bytes of requests that the kernel has not accepted yet. */
  get bufferedBytes(): number {
    return this.#batch.bytes + this.#stream.writableLength;
  }

  /** Starts to read. Call it once. A session that has already ended reports that here. */
  start(handlers: SessionHandlers): void {
    if (this.#handlers !== undefined) throw new SpreadError('SP_BUG', 'the session was started twice');
    this.#handlers = handlers;
    if (this.#end !== undefined) {
      const { error } = this.#end;
      process.nextTick(() => handlers.onClose(error));
      return;
    }
    if (this.#stream instanceof DirectSocket) this.#stream.readInto(this.#onData);
    else this.#stream.on('data', this.#onData);
    this.#stream.on('drain', () => handlers.onDrain?.());
    if (this.#paused) this.#stream.pause();
    else this.#stream.resume();
  }

  /**
   * Stops reading. The daemon keeps further messages, and disconnects a client with about 1000 waiting messages.
   */
  pause(): void {
    this.#paused = true;
    if (this.#state === 'open') this.#stream.pause();
  }

  /** Continues to read. */
  resume(): void {
    this.#paused = false;
    if (this.#state === 'open' && this.#handlers !== undefined) this.#stream.resume();
  }

  /** Sends one message to its groups. The payload must stay unchanged until `onTaken`. */
  multicast(message: OutgoingMessage, onTaken?: OnTaken): boolean {
    this.#mustBeOpen();
    let rest: Uint8Array | undefined;
    try {
      rest = this.#encoder.encode(message, this.#batch);
    } catch (error) {
      throw toSpreadError(error);
    }
    if (rest !== undefined) this.#batch.append(rest);
    return this.#send(onTaken);
  }

  /** Requests to join `group`; its view confirms the join. The daemon ignores a second join. */
  join(group: string, onTaken?: OnTaken): boolean {
    this.#mustBeOpen();
    this.#batch.append(this.#checked(() => encodeJoin(this.privateGroup, group)));
    return this.#send(onTaken);
  }

  /** Requests to leave `group`; a self-leave confirms it. No effect for a non-member. */
  leave(group: string, onTaken?: OnTaken): boolean {
    this.#mustBeOpen();
    this.#batch.append(this.#checked(() => encodeLeave(this.privateGroup, group)));
    return this.#send(onTaken);
  }

  /**
   * Disconnects cleanly: the daemon delivers all sent messages, then frees the name and closes. Resolves when the
   * connection is closed, or after `timeoutMs` (default 2000), when it is aborted instead. Later input is
   * discarded. Never rejects. Has no effect on a session that has ended.
   */
  disconnect(timeoutMs: number = DEFAULT_DISCONNECT_TIMEOUT_MS): Promise<void> {
    if (this.#state === 'closed') return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.abort(), timeoutMs);
      this.#stream.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      if (this.#state === 'closing') return;
      this.#batch.append(encodeDisconnect(this.privateGroup));
      this.#state = 'closing';
      this.#flush();
      this.#stream.end();
      this.#stream.resume();
    });
  }

  /**
   * Closes the connection without a disconnect message, so other members see DISCONNECT. Bytes that the kernel
   * accepts now are still sent.
   */
  abort(): void {
    if (this.#state !== 'closed') this.#flush();
    this.#finish(undefined);
  }

  /**
   * Closes the connection like a failing daemon: onClose gets CONNECTION_CLOSED. For failure tests. Has no effect
   * on a session that has ended.
   */
  drop(): void {
    this.#lost(new Error('closed on request'));
  }

  #mustBeOpen(): void {
    if (this.#state === 'open') return;
    if (this.#end?.error !== undefined) {
      throw new SpreadError('NET_ERROR_ON_SESSION', 'the connection to the daemon was lost earlier', {
        cause: this.#end.error,
      });
    }
    throw new SpreadError('ILLEGAL_SESSION', 'the session was ended earlier');
  }

  #checked(encode: () => Buffer): Buffer {
    try {
      return encode();
    } catch (error) {
      throw toSpreadError(error);
    }
  }

  /** The batch is written at the end of the turn, or immediately when it reaches the limit of waiting bytes. */
  #send(onTaken: OnTaken | undefined): boolean {
    if (onTaken !== undefined) this.#takers.push(onTaken);
    if (!this.#flushScheduled) {
      this.#flushScheduled = true;
      process.nextTick(this.#flush);
    }
    if (this.bufferedBytes < this.#stream.writableHighWaterMark) return true;
    // Also called directly, because `drain` follows only a write that returned false.
    return this.#flush();
  }

  /** False when the stream is full. */
  readonly #flush = (): boolean => {
    this.#flushScheduled = false;
    const pieces = this.#batch.take();
    if (pieces.length === 0) return true;
    const takers = this.#takers;
    this.#takers = [];
    const stream = this.#stream;
    const last = pieces.length - 1;
    if (last > 0) stream.cork();
    for (let i = 0; i < last; i++) stream.write(pieces[i]);
    const room = stream.write(pieces[last], (error) => this.#written(takers, error));
    if (last > 0) stream.uncork();
    return room;
  };

  #written(takers: readonly OnTaken[], error: Error | null | undefined): void {
    // When a socket is destroyed, Node reports an active write as successful.
    if (!error && this.#state !== 'closed') {
      // A socket has copied the bytes of a completed write. Another stream may have passed them on without a copy.
      if (this.bufferedBytes === 0 && this.#stream instanceof Socket) this.#batch.rest();
      for (const onTaken of takers) onTaken();
      return;
    }
    if (error) this.#lost(error);
    const reason = this.#end?.error ?? closed(error);
    for (const onTaken of takers) onTaken(reason);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#state !== 'open') return;
    this.#receivedAtMs = Date.now();
    try {
      this.#decoder.push(chunk);
    } catch (error) {
      const reason = toSpreadError(error);
      const mine = reason.code === 'SP_BUG';
      this.#finish(mine ? reason : closed(reason, `the daemon violated the protocol: ${reason.message}`));
    }
  };

  readonly #onFrame = (frame: Frame): void => {
    // A handler may have ended the session while other frames of the same chunk were still waiting.
    if (this.#state !== 'open') return;
    const message = decodeMessage(frame);
    try {
      (this.#handlers as SessionHandlers).onMessage(message, this.#receivedAtMs);
    } catch (error) {
      throw new SpreadError('SP_BUG', 'an internal error ended the session', { cause: error });
    }
  };

  /** The stream ended or failed. In the state `closing`, this is the requested end. */
  #lost(cause?: Error): void {
    if (this.#state === 'closing') {
      this.#finish(undefined);
      return;
    }
    const cut = this.#decoder.bufferedBytes > 0 ? ' in the middle of a message' : '';
    const how = cause === undefined ? '' : ` (${cause.message})`;
    const where = formatAddress(this.address);
    this.#finish(closed(cause, `the connection to the daemon at ${where} was closed${cut}${how}`));
  }

  #finish(error: SpreadError | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#end = { error };
    this.#stream.destroy();
    this.#handlers?.onClose(error);
  }
}

function closed(cause: unknown, sentence = 'the connection to the daemon was closed'): SpreadError {
  return new SpreadError('CONNECTION_CLOSED', sentence, { cause });
}
