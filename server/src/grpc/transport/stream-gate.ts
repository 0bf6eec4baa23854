import type { Http2Session, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import type { FairTurns } from '../../timing/fair-turns.js';
import { refuse } from './http2-streams.js';
import { http2ServersOf, interceptStreams } from './internals.js';
import { hasItsShare, shareOf } from './shares.js';

/** Bounds on HTTP/2 streams, which are checked before a call exists. */
export interface StreamBounds {
  /** Streams at once of all connections, those that are rejected with a status included. Health has 1256 of its own. */
  readonly maxStreams: number;
  /** Streams at once of one connection. */
  readonly maxConcurrentStreams: number;
  /** Whether a connection must bring a credential before it may have more than {@link UNPROVEN_STREAMS}. */
  readonly needsCredential: boolean;
}

/** Streams at once that a connection may have at first. RFC 9113 §6.5.2 recommends no less. */
const FIRST_STREAMS = 100;
/**
 * The same of a connection that has brought no credential. Fewer than recommended: each stream of a stranger costs objects that make
 * garbage collections long. gRPC clients wait for SETTINGS before their first call, and get more with the answer to it.
 */
const UNPROVEN_STREAMS = 16;
/** Minimum number of streams that SETTINGS announce to every connection. */
const LEAST_STREAMS = 16;
/** Of all streams, what connections without a credential may have together. */
const UNPROVEN_SHARE = 0.25;
/** What a connection without a credential may have in any case, so that a newcomer can bring one. */
const UNPROVEN_LEAST = 2;
/**
 * The fewest streams that SETTINGS tell a connection without a credential. Node counts streams that have just closed too, and resets
 * those above with ENHANCE_YOUR_CALM, which a client does not repeat by itself as it does after REFUSED_STREAM.
 */
const UNPROVEN_HELD_BACK = 8;
/** Number of calls above limits.maxCalls that still get a status with the reason. */
const TOLD_SHARE = 0.125;
const TOLD_LEAST = 64;
/** Streams of health at once. Probes are answered when all else is too much: 1000 Watch calls, which health bounds itself, and some checks. */
const HEALTH_STREAMS = 1256;
/** Rejected streams that wait for their turn. Further ones are rejected at once. */
const MAX_WAITING_REFUSALS = 256;
const HEALTH_PATH = '/grpc.health.v1.Health/';

interface SessionUse {
  /** Streams that are open, without those of health. */
  streams: number;
  /** Streams of health that are open. They count apart: a client may watch hundreds of services all day. */
  health: number;
  proven: boolean;
  /** Number of streams that SETTINGS announced to the connection. */
  told: number;
}

type OnLimit = (limit: string, about: Readonly<Record<string, string>>) => void;

/**
 * Maximum number of streams of all connections, which leaves room to reject calls above limits.maxCalls with a reason.
 */
export function streamsFor(maxCalls: number): number {
  return maxCalls + Math.max(TOLD_LEAST, Math.floor(maxCalls * TOLD_SHARE));
}

/** The first SETTINGS of a connection. */
export function firstConcurrentStreams({ maxConcurrentStreams, needsCredential }: StreamBounds): number {
  return Math.min(needsCredential ? UNPROVEN_STREAMS : FIRST_STREAMS, maxConcurrentStreams);
}

/**
 * Rejects HTTP/2 streams with REFUSED_STREAM before a call, its interceptors and its metadata exist. A call costs some 24 KiB, a
 * stream that is rejected here next to nothing, and a client may repeat it elsewhere or later (RFC 9113 §8.7).
 *
 * A client that sends more streams than its SETTINGS allow is rejected by nghttp2, below Node.
 */
export class StreamGate {
  readonly #sessions = new Map<Http2Session, SessionUse>();
  /** Connections that need more streams than there are for them. */
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

  /** Streams that exist. */
  get streams(): number {
    return this.#streams + this.#health;
  }

  /** Stands before the listeners that a server has by now. Call it once the server's injector or listeners have been made. */
  guard(server: Server): void {
    interceptStreams(server, (stream, headers, serve) => {
      if (this.#admits(stream, headers)) serve();
    });
    for (const http2Server of http2ServersOf(server))
      http2Server.on('session', (session: ServerHttp2Session) => {
        const told = firstConcurrentStreams(this.bounds);
        const use = { streams: 0, health: 0, proven: !this.bounds.needsCredential, told };
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
    if (use.told < streams) this.#tell(session as ServerHttp2Session, use, streams);
  }

  /** What a connection may have: a share of all streams, and its streams of health. */
  #mostOf(use: SessionUse): number {
    return Math.max(LEAST_STREAMS, Math.floor(shareOf(this.#streams, this.bounds.maxStreams))) + use.health;
  }

  /**
   * Announces a new number of streams to a connection that needs more or must use fewer. A client that obeys lets
   * further calls wait. Those of a client that does not are rejected by nghttp2, which costs next to nothing.
   */
  #adjust(session: ServerHttp2Session, use: SessionUse): void {
    const most = this.#mostOf(use);
    if (most <= use.told / 2) {
      this.#tell(session, use, most);
      return;
    }
    const { maxConcurrentStreams } = this.bounds;
    if (!use.proven || allOf(use) <= use.told / 2 || use.told >= maxConcurrentStreams) return;
    const streams = Math.min(2 * use.told, maxConcurrentStreams, most);
    // A client that has not acknowledged the last SETTINGS gets no others.
    if (streams <= use.told || session.pendingSettingsAck) this.#held.add(session);
    else this.#tell(session, use, streams);
  }

  /** Announces the present number of streams as the limit, after a stream was rejected. */
  #holdBack(session: ServerHttp2Session, use: SessionUse): void {
    const least = use.proven ? LEAST_STREAMS : UNPROVEN_HELD_BACK;
    const streams = Math.max(least, allOf(use));
    if (streams <= use.told / 2) this.#tell(session, use, streams);
  }

  /** Gives more to the connection that has waited longest for it, if there is more now. */
  #adjustHeld(): void {
    for (const session of this.#held) {
      this.#held.delete(session);
      const use = this.#sessions.get(session);
      if (use !== undefined) this.#adjust(session, use);
      return;
    }
  }

  #tell(session: ServerHttp2Session, use: SessionUse, streams: number): void {
    if (session.destroyed) return;
    use.told = streams;
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
    // A connection with few streams takes the place of a call that waits for a connection with many.
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

  /** In the connection's turn: a client that repeats its rejected calls at once must not take the event loop. */
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
