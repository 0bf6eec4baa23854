import type { Duplex } from 'node:stream';
import {
  CLIENT_VERSION,
  encodeAccept,
  encodeAuthList,
  encodeReject,
  type Frame,
  type ReceivedConnectRequest,
  type SpreadCodeName,
  WireError,
} from '../spread/wire/index.js';
import type { FairTurns } from '../timing/fair-turns.js';
import { PauseAwareTimer } from '../timing/pause-aware-timer.js';
import type { CutReason, Transport } from './events.js';
import { FrameInput } from './frame-input.js';
import type { GroupMember } from './group-table.js';
import { checkHeader } from './header-check.js';
import { AUTH_METHOD, Opening } from './opening.js';
import type { QueueBudget } from './output/queue-budget.js';
import { SendQueue } from './output/send-queue.js';
import type { SharedFrame } from './output/shared-frame.js';
import type { SlowLane } from './output/slow-lane.js';

/** The daemon, as seen by a connection. Calls come in the order of arrival, never from within `deliver`. */
export interface ConnectionHost {
  readonly budget: QueueBudget;
  readonly slowLane: SlowLane;
  /** Shares the event loop between clients. */
  readonly turns: FairTurns;
  /** Number of messages that the daemon has received and delivered so far. */
  messagesHandled(): number;
  readonly maxSessionMessages: number;
  readonly handshakeTimeoutMs: number;
  /** Claims the connection's private group. Throws WireError REJECT_NOT_UNIQUE or REJECT_QUOTA. */
  claimName(connection: ClientConnection, name: string): string;
  opened(connection: ClientConnection, request: ReceivedConnectRequest): void;
  received(connection: ClientConnection, frame: Frame): void;
  /** The client was rejected with a code, or left (`code` undefined), before the session started. */
  refused(connection: ClientConnection, code: SpreadCodeName | undefined, message: string): void;
  /** The client's side ended without KILL. */
  lost(connection: ClientConnection): void;
  cut(connection: ClientConnection, reason: CutReason, message: string, error?: unknown): void;
  /** A frame was queued for the connection. `flush` is due at the end of the turn. */
  queued(connection: ClientConnection): void;
  /** The stream is closed. No more calls come from this connection. */
  closed(connection: ClientConnection): void;
}

type State = 'opening' | 'open' | 'ending' | 'closed';

/** Default time for a disconnected client to close its end. Unit: ms. */
const LINGER_MS = 1000;
/** Time limit for the choice of authentication methods, in handshake timeouts. Real Spread waits forever. */
const AUTH_PATIENCE = 10;
/** Maximum time of the whole handshake, in handshake timeouts, so that a slow client cannot extend it byte by byte. */
const OPENING_PATIENCE = 20;
const NOTHING = Buffer.alloc(0);

/** One client's connection: handshake, then frames in both directions, then the end. */
export class ClientConnection implements GroupMember {
  /** Empty until the name is claimed. */
  privateGroup = '';
  /** Whether the client receives views. */
  membership = false;
  /** Number of the last delivered message, because the daemon gives each connection one copy. */
  lastDelivered = 0;

  readonly #host: ConnectionHost;
  readonly #stream: Duplex;
  readonly #queue: SendQueue;
  /** Senders that this receiver has slowed down. */
  readonly #slowed = new Set<ClientConnection>();
  readonly #opening = new Opening();
  readonly #input: FrameInput;
  readonly #openingEnds: number;
  #state: State = 'opening';
  #timer: NodeJS.Timeout | undefined;
  #handshakeTimer: PauseAwareTimer | undefined;

  constructor(
    stream: Duplex,
    readonly transport: Transport,
    host: ConnectionHost,
  ) {
    this.#stream = stream;
    this.#host = host;
    this.#queue = new SendQueue(stream, {
      maxMessages: host.maxSessionMessages,
      budget: host.budget,
      onDrain: () => this.#drained(),
    });
    this.#input = new FrameInput(stream, host.slowLane, host.turns, {
      isOpen: () => this.isOpen,
      check: (header) => checkHeader(header, this.privateGroup),
      onFrame: (frame) => host.received(this, frame),
      messagesHandled: () => host.messagesHandled(),
      onFailure: (error) => this.#failed(error),
    });
    this.#openingEnds = performance.now() + OPENING_PATIENCE * host.handshakeTimeoutMs;
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('end', () => this.#inputEnded());
    // 'close' follows an error, and waiting for it loses nothing.
    stream.on('error', () => {});
    stream.on('close', () => this.#closed());
    this.#awaitClient();
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Number of queued messages that the client's end has not accepted. */
  get queuedMessages(): number {
    return this.#queue.messages;
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  /** Queues a frame. `sender`, if given, is slowed down while the queue is long. */
  deliver(frame: SharedFrame, sender?: ClientConnection): void {
    if (this.#state !== 'open') return;
    if (!this.#queue.push(frame)) {
      const limit = this.#host.maxSessionMessages;
      this.#host.cut(this, 'slow-reader', `the client did not read: ${limit} messages were queued for it`);
      return;
    }
    this.#host.queued(this);
    if (sender && this.#queue.blocked && this.#queue.messages * 8 >= this.#host.maxSessionMessages) {
      sender.#input.slowDown();
      this.#slowed.add(sender);
      this.#host.slowLane.pressedBy.add(this);
    }
  }

  /** Writes queued frames, as far as the stream accepts them. */
  flush(): void {
    this.#queue.flush();
  }

  /** Rejects the client with a code. The client can read everything before the end of stream. */
  refuse(code: SpreadCodeName, message: string): void {
    if (this.#state !== 'opening') return;
    this.#host.refused(this, code, message);
    this.#stream.write(encodeReject(code));
    this.#end();
  }

  /** Ends the session. The client gets the bytes that the stream accepts now, then the end of stream. */
  finish(lingerMs = LINGER_MS): void {
    if (this.#state !== 'open' && this.#state !== 'opening') return;
    this.#queue.flush();
    if (this.#queue.blocked) this.abandon();
    else this.#end(lingerMs);
  }

  /** Ends the connection immediately. Unread bytes are lost. */
  abandon(): void {
    this.#leave('ending');
    this.#stream.destroy();
  }

  #take(chunk: Buffer): void {
    if (this.#state === 'opening') this.#handshake(chunk);
    else if (this.#state === 'open') this.#input.push(chunk);
    // Otherwise the client was disconnected and has not noticed it yet.
  }

  #handshake(chunk: Buffer): void {
    try {
      let progress = this.#opening.push(chunk);
      if (progress.kind === 'requested') {
        const { request } = progress;
        this.privateGroup = this.#host.claimName(this, request.name);
        if (request.authPhase) this.#stream.write(encodeAuthList([AUTH_METHOD]));
        progress = this.#opening.push(NOTHING);
      }
      if (progress.kind === 'complete') this.#open(progress.request, progress.rest);
      else this.#awaitClient();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.refuse(error.code, error.message);
    }
  }

  #open(request: ReceivedConnectRequest, rest: Buffer): void {
    clearTimeout(this.#timer);
    this.#handshakeTimer?.cancel();
    this.#state = 'open';
    this.membership = request.membership;
    const accepted = { daemonVersion: CLIENT_VERSION, privateGroup: this.privateGroup };
    this.#stream.write(encodeAccept(accepted, request.versionBytes));
    this.#host.opened(this, request);
    if (rest.length > 0) this.#input.push(rest);
  }

  #failed(error: unknown): void {
    if (error instanceof WireError) this.#host.cut(this, 'illegal-message', error.message);
    else
      this.#host.cut(this, 'internal-error', `unexpected daemon error: ${(error as Error).message}`, error);
  }

  #inputEnded(): void {
    if (this.#state === 'opening')
      this.#openingFailed('the client closed the connection during the handshake');
    this.#input.finish();
    // Closing only the sending direction is a disconnect as well (Spread 5.0.1, transcript 73-truncated-frame).
    if (this.#state === 'open') this.#host.lost(this);
  }

  #awaitClient(): void {
    const patience = this.#opening.phase === 'auth' && !this.#opening.begun ? AUTH_PATIENCE : 1;
    const left = this.#openingEnds - performance.now();
    this.#handshakeTimer?.cancel();
    this.#handshakeTimer = new PauseAwareTimer(
      Math.max(1, Math.min(patience * this.#host.handshakeTimeoutMs, left)),
      () => this.#openingFailed('the client sent nothing during the handshake'),
    );
  }

  #openingFailed(message: string): void {
    const code = this.#opening.shortfall();
    if (code) {
      this.refuse(code, message);
    } else {
      this.#host.refused(this, undefined, message);
      this.#end();
    }
  }

  #drained(): void {
    if (this.#queue.messages * 16 <= this.#host.maxSessionMessages) this.#speedUp();
  }

  #speedUp(): void {
    for (const sender of this.#slowed) sender.#input.speedUp();
    this.#slowed.clear();
    this.#host.slowLane.pressedBy.delete(this);
  }

  /**
   * Sends the end of stream to a client that may still be sending. Its input is read and discarded, so that no
   * bytes to it are lost.
   */
  #end(lingerMs = LINGER_MS): void {
    this.#leave('ending');
    this.#stream.end();
    this.#stream.resume();
    this.#timer = setTimeout(() => this.#stream.destroy(), lingerMs);
  }

  #leave(state: 'ending' | 'closed'): void {
    clearTimeout(this.#timer);
    this.#handshakeTimer?.cancel();
    this.#state = state;
    this.#queue.close();
    this.#speedUp();
    this.#input.discard();
  }

  #closed(): void {
    this.#input.finish();
    if (this.#state === 'open') this.#host.lost(this);
    else if (this.#state === 'opening')
      this.#host.refused(this, undefined, 'the connection was lost during the handshake');
    this.#leave('closed');
    this.#host.closed(this);
  }
}
