import { Socket, type SocketConstructorOpts } from 'node:net';

/** As much as Node's sockets read at once. Unit: bytes. */
const READ_BYTES = 64 * 1024;

/**
 * What every socket reads into: Node allocates 64 KiB for each read otherwise, which costs more than the read. The kernel
 * fills it and the callback gets it without anything in between, so that one is enough for all.
 */
const shared = Buffer.allocUnsafeSlow(READ_BYTES);
/** Windows fills the buffer of one socket while JavaScript runs for another. */
const mayShare = process.platform !== 'win32';

/** Gets what was read; false: it has enough, and reading continues when it asks. */
type Sink = (bytes: Buffer) => boolean;

/** Options that the constructor hands on or knows, and Node's types do not. */
type Options = SocketConstructorOpts & {
  writableHighWaterMark: number;
  onread?: { buffer: Uint8Array; callback: (bytes: number) => boolean };
};

/** A socket that is read like any other until `readInto` is called, and from then on without a buffer for each read. */
export class DirectSocket extends Socket {
  readonly #link: { sink: Sink };

  /** @param writableHighWaterMark bytes that may wait for the kernel before a write returns false */
  constructor(writableHighWaterMark: number) {
    const link: { sink: Sink } = { sink: () => true };
    const options: Options = { writableHighWaterMark };
    if (mayShare) {
      const callback = (bytes: number): boolean =>
        link.sink(bytes === READ_BYTES ? shared : shared.subarray(0, bytes));
      options.onread = { buffer: shared, callback };
    }
    super(options);
    link.sink = (bytes) => this.push(Buffer.from(bytes));
    this.#link = link;
  }

  /** What was read and not taken, and all that comes: `onBytes` has to be done with them when it returns. */
  readInto(onBytes: (bytes: Buffer) => void): void {
    this.on('data', onBytes);
    if (!mayShare) return;
    this.#link.sink = (bytes) => {
      onBytes(bytes);
      return true;
    };
  }
}
