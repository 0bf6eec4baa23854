import { Socket, type SocketConstructorOpts } from 'node:net';

/** Size of one read of Node's sockets. Unit: bytes. */
const READ_BYTES = 64 * 1024;

/**
 * The common read buffer of all sockets. Otherwise Node would allocate 64 KiB for each read, which costs more than
 * the read. The callback runs directly after the kernel has filled the buffer, so one buffer is enough.
 */
const shared = Buffer.allocUnsafeSlow(READ_BYTES);
/** On Windows, the system fills the buffer of one socket while JavaScript runs for another. */
const mayShare = process.platform !== 'win32';

/** Gets the bytes of a read. False: it has enough, and requests more later. */
type Sink = (bytes: Buffer) => boolean;

/** Options that the constructor passes on or uses, and that Node's types do not have. */
type Options = SocketConstructorOpts & {
  writableHighWaterMark: number;
  onread?: { buffer: Uint8Array; callback: (bytes: number) => boolean };
};

/** A socket that is read normally until `readInto` is called, and afterwards without a buffer for each read. */
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

  /** Passes all unread and later bytes to `onBytes`, which must have processed them when it returns. */
  readInto(onBytes: (bytes: Buffer) => void): void {
    this.on('data', onBytes);
    if (!mayShare) return;
    this.#link.sink = (bytes) => {
      onBytes(bytes);
      return true;
    };
  }
}
