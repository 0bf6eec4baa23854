import type { ServerHttp2Stream } from 'node:http2';
import { interceptData } from './internals.js';
import { RequestMeter } from './request-meter.js';

/**
 * The input of one call on its way to grpc-js. grpc-js must start to read the stream. From then on, each chunk
 * passes here first, and unwanted chunks are discarded.
 */
export class RequestInput {
  readonly #meter: RequestMeter;
  #wanted = true;

  /**
   * @param maxCompressedBytes largest possible size of a compressed message
   * @param maxBytes largest size of a message
   * @param onUnusual called for a message that is compressed or too large; false discards it and all later input
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

  /** One message was passed to its handler. */
  handedOver(): void {
    this.#meter.handedOver();
  }

  /** All messages were passed to their handler. */
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
