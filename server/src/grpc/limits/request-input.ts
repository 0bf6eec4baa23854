import type { ServerHttp2Stream } from 'node:http2';
import { RequestMeter } from './request-meter.js';

type Take = (chunk: Buffer) => void;

/**
 * What a client sends for one call, on its way to grpc-js. The first who reads the stream is grpc-js; from then on each piece passes here
 * before, and those that are not wanted any more end here.
 */
export class RequestInput {
  readonly #meter: RequestMeter;
  #wanted = true;

  /**
   * @param maxBytes what a compressed message may become
   * @param onCompressed told of a compressed message; false: it is not wanted, nor what follows
   */
  constructor(
    private readonly stream: ServerHttp2Stream,
    maxBytes: number,
    private readonly onCompressed: () => boolean,
  ) {
    this.#meter = new RequestMeter(maxBytes);
    for (const take of stream.listeners('data') as Take[]) {
      stream.off('data', take);
      stream.on('data', (chunk: Buffer) => this.#arrived(chunk, take));
    }
  }

  /** Bytes that have arrived and nobody took. */
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

  #arrived(chunk: Buffer, take: Take): void {
    if (this.#meter.arrived(chunk) && !this.onCompressed()) {
      this.#wanted = false;
      this.#meter.clear();
    }
    if (this.#wanted) take.call(this.stream, chunk);
  }
}
