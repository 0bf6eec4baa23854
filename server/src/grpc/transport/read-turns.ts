import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { http2ServersOf, readOn, stopReading } from './internals.js';

/** Number of streams that start or end in one turn of the event loop before busy connections wait. */
const STREAMS_A_TURN = 32;
/**
 * Number of turns that busy connections wait: a short call of another client to a daemon and back needs some
 * turns.
 */
const REST_TURNS = 3;
/**
 * Number of open or recently started streams above which a connection is busy. About 250 calls per second do not
 * make it busy.
 */
const QUIET_STREAMS = 64;
/** Time in which the count of started streams falls by half. Unit: ms. */
const HALF_LIFE_MS = 200;

interface Reading {
  /** Number of open streams. */
  open: number;
  /**
   * Number of started streams, which decreases with time. Infinity: none yet, so that the connection may start any
   * number.
   */
  recent: number;
  recentAt: number;
  /** Number of streams that started or ended since the last read of the connection. */
  work: number;
  paused: boolean;
}

/**
 * Shares the reads in a turn of the event loop between connections. Before anything else runs, Node reads 64 KiB
 * of each connection with input, and creates an object for each stream in it. Connections with hundreds of streams
 * each, or many connections that break together, would block the event loop for a second. When a turn has had
 * enough, busy connections are not read any more. They continue in their order, some in each turn, with turns for
 * all other connections in between.
 *  Call it after the server's injector or listeners were created.
 */
export class ReadTurns {
  readonly #sessions = new Map<ServerHttp2Session, Reading>();
  readonly #paused = new Set<ServerHttp2Session>();
  #left = STREAMS_A_TURN;
  #isTurnDue = false;
  #restTurns = 0;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Connections that are currently not read. */
  get paused(): number {
    return this.#paused.size;
  }

  watch(server: Server): void {
    for (const http2Server of http2ServersOf(server)) {
      http2Server.on('session', (session: ServerHttp2Session) => this.#add(session));
      http2Server.on('stream', (stream: ServerHttp2Stream) => {
        const session = stream.session as ServerHttp2Session | undefined;
        const reading = session && this.#sessions.get(session);
        if (reading === undefined) return;
        this.#began(reading);
        this.#spend(session!, reading);
        stream.once('close', () => {
          reading.open--;
          this.#spend(session!, reading);
        });
      });
    }
  }

  #add(session: ServerHttp2Session): void {
    const recentAt = this.now();
    const reading = { open: 0, recent: Number.POSITIVE_INFINITY, recentAt, work: 0, paused: false };
    this.#sessions.set(session, reading);
    if (this.#left <= 0) this.#pauseIfBusy(session, reading, recentAt);
    session.once('close', () => {
      this.#sessions.delete(session);
      this.#paused.delete(session);
    });
  }

  #began(reading: Reading): void {
    reading.open++;
    const now = this.now();
    if (reading.recent === Number.POSITIVE_INFINITY) reading.recent = 0;
    reading.recent = this.#recentOf(reading, now) + 1;
    reading.recentAt = now;
  }

  #recentOf({ recent, recentAt }: Reading, now: number): number {
    return recent * 0.5 ** ((now - recentAt) / HALF_LIFE_MS);
  }

  /** A stream started or ended. */
  #spend(session: ServerHttp2Session, reading: Reading): void {
    reading.work++;
    this.#left--;
    this.#scheduleTurn();
    if (this.#left > 0) return;
    const now = this.now();
    if (this.#left < 0) this.#pauseIfBusy(session, reading, now);
    else for (const [other, its] of this.#sessions) this.#pauseIfBusy(other, its, now);
  }

  #pauseIfBusy(session: ServerHttp2Session, reading: Reading, now: number): void {
    if (reading.paused) return;
    if (reading.open <= QUIET_STREAMS && this.#recentOf(reading, now) <= QUIET_STREAMS) return;
    reading.paused = true;
    this.#paused.add(session);
    if (!session.destroyed) stopReading(session.socket);
  }

  #scheduleTurn(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#isTurnDue = false;
    this.#left = STREAMS_A_TURN;
    if (this.#paused.size === 0) return;
    this.#scheduleTurn();
    if (++this.#restTurns < REST_TURNS) return;
    this.#restTurns = 0;
    const now = this.now();
    const waiting = [...this.#paused].map((session) => {
      const reading = this.#sessions.get(session)!;
      return { session, reading, recent: this.#recentOf(reading, now) };
    });
    waiting.sort((a, b) => a.recent - b.recent);
    let expected = 0;
    for (const { session, reading } of waiting) {
      expected += reading.work;
      if (expected > STREAMS_A_TURN && expected > reading.work) return;
      this.#resume(session, reading);
    }
  };

  #resume(session: ServerHttp2Session, reading: Reading): void {
    this.#paused.delete(session);
    reading.paused = false;
    reading.work = 0;
    if (!session.destroyed) readOn(session.socket);
  }
}
