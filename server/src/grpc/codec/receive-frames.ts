import { ReceiveResponse, TAG_BATCH } from 'spread-sidecar-proto';
import type { Batch } from '../../mailbox/queue/receiver.js';
import { sizeOfVarint, writeVarint } from './event-encoder.js';

/** A ReceiveResponse that is ready to leave. */
export type ReceiveFrame = Buffer | BatchFrame;

/** A gRPC message's flag, not compressed, and its length (the protocol's Length-Prefixed-Message). */
const PREFIX_BYTES = 5;

/**
 * A batch as a ReceiveResponse. Its events are encoded as elements of EventBatch.events already, and a
 * repeated field is its elements side by side: what is missing is one tag and one length. So it can leave without
 * being copied, as `parts`.
 */
export class BatchFrame {
  /** Bytes of the ReceiveResponse. */
  readonly length: number;
  readonly #headBytes: number;

  constructor(private readonly batch: Batch) {
    this.#headBytes = 1 + sizeOfVarint(batch.bytes);
    this.length = this.#headBytes + batch.bytes;
  }

  /** The gRPC message, its prefix included. */
  parts(): Buffer[] {
    const head = Buffer.allocUnsafe(PREFIX_BYTES + this.#headBytes);
    head[0] = 0;
    head.writeUInt32BE(this.length, 1);
    this.#writeHead(head, PREFIX_BYTES);
    return [head, ...this.batch.buffers];
  }

  /** The ReceiveResponse in one piece. */
  joined(): Buffer {
    const head = Buffer.allocUnsafe(this.#headBytes);
    this.#writeHead(head, 0);
    return Buffer.concat([head, ...this.batch.buffers], this.length);
  }

  /** The parts are no longer in use. */
  release(): void {
    this.batch.release();
  }

  #writeHead(head: Buffer, at: number): void {
    head[at] = TAG_BATCH;
    writeVarint(head, at + 1, this.batch.bytes);
  }
}

/** For grpc-js. */
export function serializeFrame(frame: ReceiveFrame): Buffer {
  return frame instanceof BatchFrame ? frame.joined() : frame;
}

/** Any other ReceiveResponse. */
export function frameOf(frame: NonNullable<ReceiveResponse['frame']>): Buffer {
  return Buffer.from(ReceiveResponse.encode({ frame }).finish());
}
