import type { Http2Session, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import type { FairTurns } from '../../timing/fair-turns.js';
import { refuse } from './http2-streams.js';
import { http2ServersOf } from './internals.js';

/** Bounds on HTTP/2 streams, which are checked before a call exists. */
export interface StreamBounds {
  /** Streams at once of all connections, those that are refused with a status included. Health has 1256 more. */
  readonly maxStreams: number;
  /** Streams at once of one connection. */
  readonly maxConcurrentStreams: number;
  /** Whether a connection must bring a credential before it may have more than {@link UNPROVEN_STREAMS}. */
  readonly needsCredential: boolean;
}

/** Streams at once of a connection that has brought no credential. RFC 9113 §6.5.2 recommends no less. */
const UNPROVEN_STREAMS = 100;
/** Of all streams, what connections without a credential may have together. */
const UNPROVEN_SHARE = 0.25;
/** What a connection without a credential may have in any case, so that a newcomer can bring one. */
const UNPROVEN_LEAST = 2;
/** Calls above limits.maxCalls that are still told why they are refused. */
const TOLD_SHARE = 0.125;
const TOLD_LEAST = 64;
/** Probes are answered when all else is too much: 1000 Watch calls, which health bounds itself, and some checks. */
const HEALTH_STREAMS = 1256;
/** Refused streams that wait for their turn. Further ones are refused at once. */
const MAX_WAITING_REFUSALS = 256;
const HEALTH_PATH = '/grpc.health.v1.Health/';

interface SessionUse {
  streams: number;
  proven: boolean;
}

type OnStream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, ...rest: unknown[]) => void;
type OnLimit = (limit: string, about: Readonly<Record<string, string>>) => void;

/** How many streams of all connections may exist so that calls above limits.maxCalls can be told why they are refused. */
export function streamsFor(maxCalls: number): number {
  return maxCalls + Math.max(TOLD_LEAST, Math.floor(maxCalls * TOLD_SHARE));
}

/** What a connection is told in its first SETTINGS. */
export function firstConcurrentStreams({ maxConcurrentStreams, needsCredential }: StreamBounds): number {
  return needsCredential ? Math.min(UNPROVEN_STREAMS, maxConcurrentStreams) : maxConcurrentStreams;
}

/**
 * Refuses HTTP/2 streams with REFUSED_STREAM before a call, its interceptors and its metadata exist. A call costs some 24 KiB, a
 * stream that is refused here next to nothing, and a client may repeat it elsewhere or later (RFC 9113 §8.7).
 *
 * A client that sends more streams than its SETTINGS allow is refused by nghttp2, below Node.
 */
export class StreamGate {
  readonly #sessions = new Map<Http2Session, SessionUse>();
  #streams = 0;
  #unproven = 0;
  #waitingRefusals = 0;

  constructor(
    private readonly bounds: StreamBounds,
    private readonly turns: FairTurns,
    private readonly onLimit: OnLimit,
  ) {}

  /** Streams that exist. */
  get streams(): number {
    return this.#streams;
  }

  /** Stands before the listeners that a server has by now. Call it once the server's injector or listeners have been made. */
  guard(server: Server): void {
    for (const http2Server of http2ServersOf(server)) {
      const listeners = http2Server.listeners('stream') as OnStream[];
      http2Server.removeAllListeners('stream');
      http2Server.on('stream', (stream: ServerHttp2Stream, ...rest: [IncomingHttpHeaders, number]) => {
        if (this.#admits(stream, rest[0]))
          for (const listener of listeners) listener.call(http2Server, stream, ...rest);
      });
      http2Server.on('session', (session: ServerHttp2Session) => {
        this.#sessions.set(session, { streams: 0, proven: !this.bounds.needsCredential });
        session.once('close', () => this.#sessions.delete(session));
      });
    }
  }

  /** A call of this connection brought a credential that is accepted. */
  prove(session: Http2Session | undefined): void {
    const use = session && this.#sessions.get(session);
    if (use === undefined || use.proven) return;
    use.proven = true;
    this.#unproven -= use.streams;
    const { maxConcurrentStreams } = this.bounds;
    if (maxConcurrentStreams > UNPROVEN_STREAMS && !session!.destroyed)
      (session as ServerHttp2Session).settings({ maxConcurrentStreams });
  }

  #admits(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean {
    const { session } = stream;
    const use = session && this.#sessions.get(session);
    if (use === undefined) {
      refuse(stream);
      return false;
    }
    const limit = this.#exceeded(use, String(headers[':path']));
    // A connection with few streams takes the place of a call that waits for a connection with many.
    if (limit !== undefined && !(limit === 'limits.maxCalls' && this.turns.cancelOne(use.streams))) {
      this.#refuse(stream, session!);
      this.onLimit(limit, {});
      return false;
    }
    this.#streams++;
    use.streams++;
    if (!use.proven) this.#unproven++;
    stream.once('close', () => {
      this.#streams--;
      use.streams--;
      if (!use.proven) this.#unproven--;
    });
    return true;
  }

  /** In the connection's turn: a client that repeats its refused calls at once must not take the event loop. */
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

  #exceeded(use: SessionUse, path: string): string | undefined {
    const { maxStreams } = this.bounds;
    if (this.#streams >= maxStreams + (path.startsWith(HEALTH_PATH) ? HEALTH_STREAMS : 0))
      return 'limits.maxCalls';
    if (use.proven || use.streams < UNPROVEN_LEAST) return undefined;
    if (use.streams >= UNPROVEN_STREAMS || this.#unproven >= maxStreams * UNPROVEN_SHARE)
      return 'http2.unauthenticated';
    return undefined;
  }
}
