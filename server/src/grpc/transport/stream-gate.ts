import type { Http2Session, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import type { FairTurns } from '../../timing/fair-turns.js';
import { refuse } from './http2-streams.js';
import { http2ServersOf, interceptStreams } from './internals.js';
import { hasItsShare, shareOf } from './shares.js';

/** Limits of HTTP/2 streams, which are checked before a call exists. */
export interface StreamBounds {
  /**
   * Concurrent streams of all connections, including those that are rejected with a status. Health has 1256 in
   * addition.
   */
  readonly maxStreams: number;
  /** Concurrent streams of one connection. */
  readonly maxConcurrentStreams: number;
  /** Whether a connection must bring a credential before it can have more than {@link UNPROVEN_STREAMS}. */
  readonly needsCredential: boolean;
}

/** Initial number of concurrent streams of a connection. RFC 9113 §6.5.2 recommends no less. */
const FIRST_STREAMS = 100;
/**
 * The same for a connection without a credential. Fewer than recommended: the objects of each unauthenticated
 * stream make garbage collections longer. gRPC clients wait for SETTINGS before their first call, and get more
 * with its response.
 */
const UNPROVEN_STREAMS = 16;
/** Minimum number of streams that SETTINGS announce to every connection. */
const LEAST_STREAMS = 16;
/** The part of all streams that connections without a credential can use together. */
const UNPROVEN_SHARE = 0.25;
/** Streams that a connection without a credential always has, so that a new client can bring one. */
const UNPROVEN_LEAST = 2;
/**
 * Smallest number of streams in the SETTINGS for a connection without a credential. Node also counts streams that
 * have just closed, and resets those above with ENHANCE_YOUR_CALM. Clients do not repeat such calls automatically
 * as they do after REFUSED_STREAM.
 */
const UNPROVEN_HELD_BACK = 8;
/** Number of calls above limits.maxCalls that still get a status with the reason. */
const REJECTED_WITH_REASON_SHARE = 0.125;
const REJECTED_WITH_REASON_LEAST = 64;
/**
 * Concurrent streams of health. Probes get a response even under overload: 1000 Watch calls, which health itself
 * limits, and some checks.
 */
const HEALTH_STREAMS = 1256;
/** Rejected streams that wait for their turn. Further ones are rejected immediately. */
const MAX_WAITING_REFUSALS = 256;
const HEALTH_PATH = '/grpc.health.v1.Health/';

interface SessionUse {
  /** Number of open streams, without those of health. */
  streams: number;
  /**
   * Number of open streams of health. They count separately, because a client may watch hundreds of services all
   * day.
   */
  health: number;
  proven: boolean;
  /** Number of streams that SETTINGS announced to the connection. */
  announced: number;
}

type OnLimit = (limit: string, about: { readonly peer?: string; readonly method?: string }) => void;

/**
 * Maximum number of streams of all connections, which leaves room to reject calls above limits.maxCalls with a reason.
 */
export function streamsFor(maxCalls: number): number {
  return maxCalls + Math.max(REJECTED_WITH_REASON_LEAST, Math.floor(maxCalls * REJECTED_WITH_REASON_SHARE));
}

/** The first SETTINGS of a connection. */
export function firstConcurrentStreams({ maxConcurrentStreams, needsCredential }: StreamBounds): number {
  return Math.min(needsCredential ? UNPROVEN_STREAMS : FIRST_STREAMS, maxConcurrentStreams);
}

/**
 * Rejects HTTP/2 streams with REFUSED_STREAM before a call, its interceptors and its metadata exist. A call costs
 * about 24 KiB. A stream that is rejected here costs almost nothing, and a client may repeat it elsewhere or later
 * (RFC 9113 §8.7).
 *  If a client sends more streams than its SETTINGS allow, nghttp2 rejects them, below Node.
 */
export class StreamGate {
  readonly #sessions = new Map<Http2Session, SessionUse>();
  /** Connections that need more streams than are available. */
  readonly #held = new Set<ServerHttp2Session>();
  #streams = 0;
  #health = 0;
  #unproven = 0;
  #waitingRefusals = 0;

  constructor(
    private readonly bounds: StreamBounds,
    private readonly turns: FairTurns,
    private readonly onLimit: OnLimit,
  ) {}

  /** Number of existing streams. */
  get streams(): number {
    return this.#streams + this.#health;
  }

  /**
   * Gets streams before the present listeners of the server. Call it after the server's injector or listeners were
   * created.
   */
  guard(server: Server): void {
    interceptStreams(server, (stream, headers, serve) => {
      if (this.#admits(stream, headers)) serve();
    });
    for (const http2Server of http2ServersOf(server))
      http2Server.on('session', (session: ServerHttp2Session) => {
        const announced = firstConcurrentStreams(this.bounds);
        const use = { streams: 0, health: 0, proven: !this.bounds.needsCredential, announced };
        this.#sessions.set(session, use);
        session.once('close', () => this.#sessions.delete(session));
        this.#adjust(session, use);
      });
  }

  /** A call of this connection brought a credential that is accepted. */
  prove(session: Http2Session | undefined): void {
    const use = session && this.#sessions.get(session);
    if (use === undefined || use.proven) return;
    use.proven = true;
    this.#unproven -= allOf(use);
    const streams = Math.min(FIRST_STREAMS, this.bounds.maxConcurrentStreams, this.#mostOf(use));
    if (use.announced < streams) this.#announce(session as ServerHttp2Session, use, streams);
  }

  /** The allowed streams of a connection: a share of all streams, and its streams of health. */
  #mostOf(use: SessionUse): number {
    return Math.max(LEAST_STREAMS, Math.floor(shareOf(this.#streams, this.bounds.maxStreams))) + use.health;
  }

  /**
   * Announces a new number of streams to a connection that needs more or must use fewer. A client that obeys
   * delays further calls. nghttp2 rejects those of other clients at almost no cost.
   */
  #adjust(session: ServerHttp2Session, use: SessionUse): void {
    const most = this.#mostOf(use);
    if (most <= use.announced / 2) {
      this.#announce(session, use, most);
      return;
    }
    const { maxConcurrentStreams } = this.bounds;
    if (!use.proven || allOf(use) <= use.announced / 2 || use.announced >= maxConcurrentStreams) return;
    const streams = Math.min(2 * use.announced, maxConcurrentStreams, most);
    // A client that has not acknowledged the last SETTINGS gets no new ones.
    if (streams <= use.announced || session.pendingSettingsAck) this.#held.add(session);
    else this.#announce(session, use, streams);
  }

  /** Announces the current number of streams as the limit, after a stream was rejected. */
  #holdBack(session: ServerHttp2Session, use: SessionUse): void {
    const least = use.proven ? LEAST_STREAMS : UNPROVEN_HELD_BACK;
    const streams = Math.max(least, allOf(use));
    if (streams <= use.announced / 2) this.#announce(session, use, streams);
  }

  /** Gives more streams to the connection that has waited longest for them, if there are more now. */
  #adjustHeld(): void {
    for (const session of this.#held) {
      this.#held.delete(session);
      const use = this.#sessions.get(session);
      if (use !== undefined) this.#adjust(session, use);
      return;
    }
  }

  #announce(session: ServerHttp2Session, use: SessionUse, streams: number): void {
    if (session.destroyed) return;
    use.announced = streams;
    session.settings({ maxConcurrentStreams: streams });
  }

  #admits(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean {
    const { session } = stream;
    const use = session && this.#sessions.get(session);
    if (use === undefined) {
      refuse(stream);
      return false;
    }
    const isHealth = String(headers[':path']).startsWith(HEALTH_PATH);
    const limit = this.#exceeded(use, isHealth);
    // A connection with few streams replaces a waiting call of a connection with many.
    if (limit !== undefined && !(limit === 'limits.maxCalls' && this.turns.cancelOne(allOf(use)))) {
      this.#refuse(stream, session!);
      this.#holdBack(session as ServerHttp2Session, use);
      this.onLimit(limit, {});
      return false;
    }
    this.#count(use, isHealth, 1);
    this.#adjust(session as ServerHttp2Session, use);
    stream.once('close', () => {
      this.#count(use, isHealth, -1);
      this.#adjustHeld();
    });
    return true;
  }

  #count(use: SessionUse, isHealth: boolean, change: 1 | -1): void {
    if (isHealth) {
      this.#health += change;
      use.health += change;
    } else {
      this.#streams += change;
      use.streams += change;
    }
    if (!use.proven) this.#unproven += change;
  }

  /**
   * Runs in the connection's turn: a client that immediately repeats its rejected calls must not block the event
   * loop.
   */
  #refuse(stream: ServerHttp2Stream, session: Http2Session): void {
    if (this.#waitingRefusals >= MAX_WAITING_REFUSALS) {
      refuse(stream);
      return;
    }
    stream.on('error', () => {});
    this.#waitingRefusals++;
    this.turns.run(session, () => {
      this.#waitingRefusals--;
      refuse(stream);
    });
  }

  #exceeded(use: SessionUse, isHealth: boolean): string | undefined {
    const [own, total, max] = isHealth
      ? [use.health, this.#health, HEALTH_STREAMS]
      : [use.streams, this.#streams, this.bounds.maxStreams];
    if (total >= max || hasItsShare(own, total, max)) return 'limits.maxCalls';
    const streams = allOf(use);
    if (use.proven || streams < UNPROVEN_LEAST) return undefined;
    if (streams >= UNPROVEN_STREAMS || this.#unproven >= this.bounds.maxStreams * UNPROVEN_SHARE)
      return 'http2.unauthenticated';
    return undefined;
  }
}

function allOf({ streams, health }: SessionUse): number {
  return streams + health;
}
