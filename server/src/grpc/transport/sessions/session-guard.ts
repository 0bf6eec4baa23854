import { constants, type ServerHttp2Session } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { PauseAwareTimer } from '../../../timing/pause-aware-timer.js';
import { http2ServersOf } from '../internals.js';
import { TokenBucket } from '../token-bucket.js';

/** Bounds of one HTTP/2 connection. Times are milliseconds. */
export interface SessionBounds {
  /** How long a client may take to begin: HTTP/2's first bytes and SETTINGS are due at once (RFC 9113 §3.4). */
  readonly openingTimeoutMs: number;
  /** PING and SETTINGS frames in a second, and one more for every 32 bytes that the client was sent. */
  readonly maxControlFrames: number;
  /** After how long it takes no more calls, give or take a tenth. Infinity: never. */
  readonly maxAgeMs: number;
  /** How long the calls that there are may then continue. */
  readonly ageGraceMs: number;
}

/** The events of a guard. */
export interface GuardEvents {
  /** A connection was closed for a limit. */
  onLimit(limit: string, about: Readonly<Record<string, string>>): void;
  /** The time of a connection's calls is over. */
  onTooOld(session: ServerHttp2Session): void;
}

/** A client that measures its bandwidth sends a PING for each DATA frame; the smallest that we send has more. */
const BYTES_A_FRAME = 32;
/** Of our answer to a PING or SETTINGS, which is no reason for another one. */
const ANSWER_BYTES = 17;
/** For the statuses of calls that were ended. */
const FLUSH_MS = 1000;

/** Watches every connection that a server will have. Call it once the server's injector or listeners have been made. */
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
  /** Bytes that were sent and have not paid for a frame yet. */
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

  /** Whether what was sent since pays for a frame. */
  #earned(): boolean {
    const sent = this.session.socket.bytesWritten - this.#answered;
    this.#credit += Math.max(0, sent - this.#counted);
    this.#counted = Math.max(this.#counted, sent);
    if (this.#credit < BYTES_A_FRAME) return false;
    this.#credit -= BYTES_A_FRAME;
    return true;
  }

  /** Clients know the text: they ping less then. */
  #close(limit: string, text: string): void {
    this.events.onLimit(limit, { peer: this.#peer });
    const { session } = this;
    session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from(text));
    session.destroy(new Error(`${limit} was exceeded`), constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  #growOld(): void {
    const { session } = this;
    // Says which calls it has taken; clients make the others, which may be on their way, on another connection. The gentler way of
    // RFC 9113 §6.8, to take those too, is not in Node: it takes none after any GOAWAY.
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
