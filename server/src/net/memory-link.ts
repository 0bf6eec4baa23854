import { Duplex } from 'node:stream';

type Done = (error?: Error | null) => void;

/**
 * Bytes that an end holds for a reader that does not read; about as many as the kernel holds for a Unix socket.
 */
const READ_BYTES = 208 * 1024;
/** Default of `writableHighWaterMark`. Unit: bytes. */
const DEFAULT_WRITE_BYTES = 256 * 1024;

/** One end of a connection within this process. */
class LinkEnd extends Duplex {
  peer: LinkEnd | undefined;
  /** Completes the peer's write when this end was read. */
  #onRoom: Done | undefined;

  override _read(): void {
    const done = this.#onRoom;
    this.#onRoom = undefined;
    done?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    // Runs after this call, because the reader's code must not run inside the writer's.
    process.nextTick(deliverOne, this.peer, chunk, done);
  }

  override _writev(chunks: readonly { chunk: Buffer }[], done: Done): void {
    process.nextTick(deliver, this.peer, chunks, done);
  }

  override _final(done: Done): void {
    process.nextTick(endReading, this.peer);
    done();
  }

  override _destroy(error: Error | null, done: Done): void {
    const waiting = this.#onRoom;
    this.#onRoom = undefined;
    waiting?.();
    process.nextTick(endReading, this.peer);
    done(error);
  }

  /**
   * Accepts bytes of the peer. Calls `done` immediately, or when there is room for more. A destroyed end discards
   * them.
   */
  accept(chunk: Buffer): boolean {
    return this.destroyed || this.readableEnded || this.push(chunk);
  }

  waitForRoom(done: Done): void {
    if (this.destroyed) done();
    else this.#onRoom = done;
  }

  /** The peer sends no more. */
  endReading(): void {
    if (!this.destroyed && !this.readableEnded) this.push(null);
  }
}

function deliverOne(end: LinkEnd, chunk: Buffer, done: Done): void {
  if (end.accept(chunk)) done();
  else end.waitForRoom(done);
}

function deliver(end: LinkEnd, chunks: readonly { chunk: Buffer }[], done: Done): void {
  let hasRoom = true;
  for (const { chunk } of chunks) hasRoom = end.accept(chunk);
  if (hasRoom) done();
  else end.waitForRoom(done);
}

function endReading(end: LinkEnd): void {
  end.endReading();
}

/**
 * A connection within this process: what one end writes, the other reads, in order and without a copy. Written
 * bytes must therefore stay unchanged. An end that is destroyed discards its unread bytes, and its peer reads the
 * end of the stream after everything that was written before.
 *
 * @param writableHighWaterMark - bytes that may wait at the first end before a write returns false
 */
export function memoryLink(writableHighWaterMark = DEFAULT_WRITE_BYTES): [client: Duplex, server: Duplex] {
  const client = new LinkEnd({
    writableHighWaterMark,
    readableHighWaterMark: READ_BYTES,
    allowHalfOpen: false,
  });
  const server = new LinkEnd({ readableHighWaterMark: READ_BYTES, allowHalfOpen: true });
  client.peer = server;
  server.peer = client;
  return [client, server];
}
