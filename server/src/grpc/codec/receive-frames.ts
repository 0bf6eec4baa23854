import { ReceiveResponse, TAG_BATCH } from 'spread-sidecar-proto';
import type { Batch } from '../../mailbox/queue/receiver.js';
import { sizeOfVarint, writeVarint } from './varint.js';

/** An encoded ReceiveResponse. */
export type ReceiveFrame = Buffer | BatchFrame;

/** A gRPC message's compression flag and its length (the protocol's Length-Prefixed-Message). */
const PREFIX_BYTES = 5;

/**
 * A batch as a ReceiveResponse. Its events are already encoded as elements of EventBatch.events, and a repeated
 * field is the concatenation of its elements, so only a tag and a length are missing. The batch can therefore be
 * sent as `parts` without a copy.
 */
export class BatchFrame {
  /** Size of the ReceiveResponse in bytes. */
  readonly length: number;
  readonly #headBytes: number;

  constructor(private readonly batch: Batch) {
    this.#headBytes = 1 + sizeOfVarint(batch.bytes);
    this.length = this.#headBytes + batch.bytes;
  }

  /** The gRPC message, including its prefix. */
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

  /** Releases the parts. */
  release(): void {
    this.batch.release();
  }

  #writeHead(head: Buffer, at: number): void {
    head[at] = TAG_BATCH;
    writeVarint(head, at + 1, this.batch.bytes);
  }
}

/** The serializer for grpc-js. */
export function serializeFrame(frame: ReceiveFrame): Buffer {
  return frame instanceof BatchFrame ? frame.joined() : frame;
}

/** Any other ReceiveResponse. */
export function frameOf(frame: NonNullable<ReceiveResponse['frame']>): Buffer {
  return Buffer.from(ReceiveResponse.encode({ frame }).finish());
}
