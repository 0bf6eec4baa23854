import type { ServerHttp2Stream } from 'node:http2';
import { interceptData } from './internals.js';
import { RequestMeter } from './request-meter.js';

/**
 * What a client sends for one call, on its way to grpc-js. The first who reads the stream is grpc-js; from then on each piece passes here
 * before, and those that are not wanted any more end here.
 */
export class RequestInput {
  readonly #meter: RequestMeter;
  #wanted = true;

  /**
   * @param maxCompressedBytes what a compressed message may become
   * @param maxBytes most bytes of a message
   * @param onUnusual called for a message that is compressed or too large; false: it is not wanted, nor what follows
   * @param onArrived called with the number of bytes that arrived
   */
  constructor(
    private readonly stream: ServerHttp2Stream,
    maxCompressedBytes: number,
    maxBytes: number,
    private readonly onUnusual: (what: 'compressed' | 'too large') => boolean,
    private readonly onArrived: (bytes: number) => void,
  ) {
    this.#meter = new RequestMeter(maxCompressedBytes, maxBytes);
    interceptData(stream, (chunk, take) => this.#arrived(chunk, take));
  }

  /** Bytes that have arrived and are not processed. */
  get bufferedBytes(): number {
    return this.#meter.held + this.stream.readableLength;
  }

  /** A message was handed over. */
  handedOver(): void {
    this.#meter.handedOver();
  }

  /** All of them were. */
  clear(): void {
    this.#meter.clear();
  }

  #arrived(chunk: Buffer, take: (chunk: Buffer) => void): void {
    const unusual = this.#meter.arrived(chunk);
    this.onArrived(chunk.length);
    if (unusual !== undefined && !this.onUnusual(unusual)) {
      this.#wanted = false;
      this.#meter.clear();
    }
    if (this.#wanted) take(chunk);
  }
}
