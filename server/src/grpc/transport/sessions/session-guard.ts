import { constants, type ServerHttp2Session } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { PauseAwareTimer } from '../../../timing/pause-aware-timer.js';
import { http2ServersOf } from '../internals.js';
import { TokenBucket } from '../token-bucket.js';

/** Limits of one HTTP/2 connection. Times are milliseconds. */
export interface SessionBounds {
  /** Time limit for a client's start: HTTP/2 requires the preface and SETTINGS immediately (RFC 9113 §3.4). */
  readonly openingTimeoutMs: number;
  /** Allowed PING and SETTINGS frames per second, and one more for every 32 bytes that the server sent. */
  readonly maxControlFrames: number;
  /** Age after which the connection accepts no more calls, plus or minus a tenth. Infinity: never. */
  readonly maxAgeMs: number;
  /** Time that open calls then get. */
  readonly ageGraceMs: number;
}

/** The events of a guard. */
export interface GuardEvents {
  /** A connection was closed because of a limit. */
  onLimit(limit: string, about: { readonly peer?: string; readonly method?: string }): void;
  /** The time of a connection's calls has ended. */
  onTooOld(session: ServerHttp2Session): void;
}

/**
 * Bytes for one more control frame. A client that measures its bandwidth sends a PING for each DATA frame, and the
 * smallest DATA frame of the server is larger.
 */
const BYTES_A_FRAME = 32;
/** Size of our response to a PING or SETTINGS, which does not allow another control frame. */
const ANSWER_BYTES = 17;
/** Time for the statuses of ended calls. */
const FLUSH_MS = 1000;

/** Watches every future connection of a server. Call it after the server's injector or listeners were created. */
export function guardSessions(server: Server, bounds: SessionBounds, events: GuardEvents): void {
  for (const http2Server of http2ServersOf(server))
    http2Server.on('session', (session: ServerHttp2Session) =>
      new SessionGuard(session, bounds, events).watch(),
    );
}

class SessionGuard {
  readonly #frames: TokenBucket;
  readonly #peer: string;
  #timer: PauseAwareTimer | undefined;
  #answered = 0;
  /** Sent bytes that have not allowed a control frame yet. */
  #credit = 0;
  #counted = 0;

  constructor(
    private readonly session: ServerHttp2Session,
    private readonly bounds: SessionBounds,
    private readonly events: GuardEvents,
  ) {
    this.#frames = new TokenBucket(bounds.maxControlFrames, performance.now());
    const { remoteAddress, remotePort } = session.socket;
    this.#peer = remoteAddress === undefined ? 'unix' : `${remoteAddress}:${remotePort}`;
  }

  watch(): void {
    const { session } = this;
    session.on('ping', () => this.#onControlFrame());
    session.on('remoteSettings', () => this.#onControlFrame());
    session.once('close', () => this.#timer?.cancel());
    this.#after(this.bounds.openingTimeoutMs, () => this.#close('http2.opening', 'no_preface'));
    session.once('remoteSettings', () => {
      this.#timer?.cancel();
      const { maxAgeMs } = this.bounds;
      if (maxAgeMs < Number.POSITIVE_INFINITY)
        this.#after(maxAgeMs * (0.9 + 0.2 * Math.random()), () => this.#growOld());
    });
  }

  #onControlFrame(): void {
    if (this.session.destroyed) return;
    this.#answered += ANSWER_BYTES;
    if (this.#frames.take(performance.now()) === 0 || this.#earned()) return;
    this.#close('limits.maxControlFrames', 'too_many_pings');
  }

  /** Whether the bytes sent since then allow a control frame. */
  #earned(): boolean {
    const sent = this.session.socket.bytesWritten - this.#answered;
    this.#credit += Math.max(0, sent - this.#counted);
    this.#counted = Math.max(this.#counted, sent);
    if (this.#credit < BYTES_A_FRAME) return false;
    this.#credit -= BYTES_A_FRAME;
    return true;
  }

  /** Clients know this text and then send fewer PINGs. */
  #close(limit: string, text: string): void {
    this.events.onLimit(limit, { peer: this.#peer });
    const { session } = this;
    session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from(text));
    session.destroy(new Error(`${limit} was exceeded`), constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  #growOld(): void {
    const { session } = this;
    // Sends GOAWAY with the last accepted call. Clients repeat later calls, which may be in flight, on another
    // connection. Node does not support the graceful way of RFC 9113 §6.8, which accepts those too: it accepts no
    // call after any GOAWAY.
    session.close();
    this.#after(this.bounds.ageGraceMs, () => {
      this.events.onTooOld(session);
      this.#after(FLUSH_MS, () => session.destroy());
    });
  }

  #after(ms: number, action: () => void): void {
    this.#timer = new PauseAwareTimer(ms, () => {
      if (!this.session.destroyed) action();
    });
  }
}
