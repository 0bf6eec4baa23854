import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { FairTurns } from '../timing/fair-turns.js';

/** Work for a request and its response, without the bytes of the response. Unit: small unary calls. */
export const REQUEST_COST = 4;
/** Bytes of responses that cost as much as a small unary call. */
const BYTES_PER_CALL = 16 * 1024;
/** Bytes that the HTTP parser gets at once; few enough that they hold few whole requests. */
const SLICE_BYTES = 128;

interface GateOptions {
  readonly turns: FairTurns;
  /** Expected work for the first request. Unit: small unary calls. */
  readonly firstCost: number;
  /** Called after each response that the client has read. */
  readonly onAnswered: () => void;
}

/**
 * A connection that gives its HTTP/1 server one request at a time: while a request has no complete answer, the server gets no
 * further bytes. Node's parser makes objects for every request in the 64 KiB that it reads at once, so that one packet of
 * pipelined requests would cost megabytes.
 */
export class GatedConnection extends Duplex {
  #unanswered = 0;
  #isWanted = false;
  #isScheduled = false;
  #hasEnded = false;
  #expectedCost: number;
  private readonly turns: FairTurns;

  constructor(
    private readonly socket: Socket,
    private readonly options: GateOptions,
  ) {
    super({ readableHighWaterMark: SLICE_BYTES, allowHalfOpen: true });
    this.turns = options.turns;
    this.#expectedCost = options.firstCost;
    socket.on('readable', () => this.#advance());
    socket.once('end', () => {
      this.#hasEnded = true;
      this.#advance();
    });
    socket.on('error', (error) => this.destroy(error));
    socket.once('close', () => this.destroy());
  }

  get remoteAddress(): string | undefined {
    return this.socket.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.socket.remotePort;
  }

  /** A request has begun. */
  hold(): void {
    this.#unanswered++;
  }

  /** A request is answered, and the client has taken the answer. */
  release(): void {
    this.#unanswered--;
    this.options.onAnswered();
    this.#expectedCost = REQUEST_COST;
    this.#advance();
  }

  override _read(): void {
    this.#isWanted = true;
    this.#advance();
  }

  override _write(chunk: Buffer, _encoding: string, callback: (error?: Error | null) => void): void {
    this.turns.charge(this, chunk.length / BYTES_PER_CALL);
    this.socket.write(chunk, callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    this.turns.charge(this, chunks.reduce((sum, { chunk }) => sum + chunk.length, 0) / BYTES_PER_CALL);
    this.socket.cork();
    const last = chunks.pop();
    for (const { chunk } of chunks) this.socket.write(chunk);
    this.socket.write(last!.chunk, callback);
    this.socket.uncork();
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.socket.end(() => callback());
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.socket.destroy();
    callback(error);
  }

  #advance(): void {
    if (!this.#isWanted || this.#isScheduled || this.#unanswered > 0) return;
    if (this.#hasEnded) {
      // Not before the last answer: Node's server closes a connection whose client has ended its side.
      this.#isWanted = false;
      this.push(null);
      return;
    }
    if (this.socket.readableLength === 0) {
      // Requests more from the socket; `readable` signals new data.
      this.socket.read(0);
      return;
    }
    this.#isScheduled = true;
    this.turns.run(this, () => this.#pushSlice(), this.#expectedCost);
  }

  #pushSlice(): void {
    this.#isScheduled = false;
    if (this.destroyed) return;
    const slice: Buffer | null = this.socket.read(Math.min(SLICE_BYTES, this.socket.readableLength));
    if (slice === null) return;
    this.turns.charge(this, REQUEST_COST - 1);
    this.#isWanted = false;
    this.push(slice);
  }
}
