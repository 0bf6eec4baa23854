import {
  DAEMON_MAX_BODY,
  DAEMON_MAX_DATA,
  HEADER_SIZE,
  MAX_GROUP_NAME,
  MAX_GROUPS,
  OLD_TYPE_SIZE,
  REJECT_MESS,
} from './constants.js';
import { decodeHeader, type Header } from './header.js';
import { WireError } from './wire-error.js';

/**
 * The limits of a header. They are checked when its 48 bytes have arrived, before memory is allocated for the
 * rest.
 */
export interface FrameLimits {
  /** Largest number of names in the group list (of a view: members). */
  readonly maxGroups: number;
  /** Largest size of the data, without groups. */
  readonly maxData: number;
  /** Largest value of data + 32 × groups. */
  readonly maxBody: number;
}

/**
 * Limits for frames of a daemon. Messages have at most 100 groups, but a view lists every member of its group, and
 * once more in its sets. A 5.0.1 daemon assembles each of the two in 144,000 bytes, which is 4500 names.
 */
export const CLIENT_FRAME_LIMITS: FrameLimits = Object.freeze({
  maxGroups: 4500,
  maxData: DAEMON_MAX_DATA,
  maxBody: 2 * DAEMON_MAX_DATA,
});

/** Limits for frames of a client: those at which a 5.0.1 daemon ends the session (transcripts 51, 54 and 63). */
export const DAEMON_FRAME_LIMITS: FrameLimits = Object.freeze({
  maxGroups: MAX_GROUPS,
  maxData: DAEMON_MAX_DATA,
  maxBody: DAEMON_MAX_BODY,
});

/**
 * One frame of either direction. The receiver of the frame owns its bytes, and nothing writes to them later,
 * unless the decoder lends them (`memory`). Views of the bytes are created on request, because most frames are
 * read in place.
 */
export class Frame {
  readonly #headerBuffer: Buffer;
  readonly #headerStart: number;

  /**
   * @param header the 48 bytes as numbers
   * @param buffer contains the body
   * @param start start of the body in `buffer`
   * @param end its end
   */
  constructor(
    readonly header: Header,
    headerBuffer: Buffer,
    headerStart: number,
    readonly buffer: Buffer,
    readonly start: number,
    readonly end: number,
  ) {
    this.#headerBuffer = headerBuffer;
    this.#headerStart = headerStart;
  }

  /** The unchanged 48 bytes. */
  get headerBytes(): Buffer {
    return this.#headerBuffer.subarray(this.#headerStart, this.#headerStart + HEADER_SIZE);
  }

  /** Everything after the header: [old type, 4 bytes, in reject frames from a daemon] groups data. */
  get body(): Buffer {
    return this.buffer.subarray(this.start, this.end);
  }
}

export interface FrameDecoderOptions {
  /** The side of the decoder: only a client reads reject frames, which are 4 bytes longer. */
  readonly role: 'client' | 'daemon';
  /** Default: CLIENT_FRAME_LIMITS or DAEMON_FRAME_LIMITS, by role. */
  readonly limits?: FrameLimits;
  /** Called when a header is complete and within the limits, before the rest arrives. Throws to reject. */
  readonly validateHeader?: (header: Header, headerBytes: Buffer) => void;
  /**
   * Memory for bodies that arrive in pieces. With it, everything is lent: a chunk to the decoder until `push`
   * returns, a frame and its views to `onFrame` until that returns. Without it, both are handed over permanently.
   */
  readonly memory?: FrameMemory;
}

/** Buffers that are reused. */
export interface FrameMemory {
  /** A buffer of at least this size. */
  take(bytes: number): Buffer;
  give(buffer: Buffer): void;
}

const NOTHING = Buffer.alloc(0);

/**
 * Splits a byte stream into frames, for any split of its chunks. If all parts of a frame are within one chunk, the
 * frame consists of views of that chunk. Otherwise each byte is copied once, into a buffer of exactly the
 * announced size, so the time is linear for any chunks. The decoder owns the chunks: the caller must never write
 * to them again, unless there is a `memory`.
 *  `push` throws WireError ILLEGAL_MESSAGE for a header beyond a limit, and the errors of `validateHeader` and
 * `onFrame`. After any error the decoder has failed: the position of the next frame is unknown, and each further
 * push throws the same error.
 */
export class FrameDecoder {
  readonly #onFrame: (frame: Frame) => void;
  readonly #limits: FrameLimits;
  readonly #client: boolean;
  readonly #validateHeader: FrameDecoderOptions['validateHeader'];
  readonly #memory: FrameMemory | undefined;
  /** With a memory: buffer for each header that is not in one chunk with its body. */
  #headerSpace = NOTHING;

  /** The header of the frame whose body is incomplete, or the available part of the header. */
  #headerBuffer: Buffer = NOTHING;
  #headerStart = 0;
  #headerFilled = 0;
  #header: Header | undefined;
  #bodyLength = 0;
  #body: Buffer | undefined;
  #bodyFilled = 0;
  #death: { error: unknown } | undefined;
  #bytesCopied = 0;

  constructor(options: FrameDecoderOptions, onFrame: (frame: Frame) => void) {
    this.#client = options.role === 'client';
    this.#limits = options.limits ?? (this.#client ? CLIENT_FRAME_LIMITS : DAEMON_FRAME_LIMITS);
    this.#validateHeader = options.validateHeader;
    this.#memory = options.memory;
    this.#onFrame = onFrame;
  }

  /** Bytes of an incomplete frame. 0 between frames. */
  get bufferedBytes(): number {
    return this.#headerFilled + this.#bodyFilled;
  }

  /** Bytes copied so far because a frame arrived in pieces: at most the pushed bytes. */
  get bytesCopied(): number {
    return this.#bytesCopied;
  }

  /** Processes the next bytes and calls `onFrame` for each frame that they complete. */
  push(chunk: Buffer): void {
    if (this.#death) throw this.#death.error;
    try {
      let offset = 0;
      while (offset < chunk.length) offset = this.#take(chunk, offset);
    } catch (error) {
      this.#death = { error };
      this.#body = undefined;
      throw error;
    }
  }

  /** Processes the available part of one frame from `offset` on. Returns the offset after it. */
  #take(chunk: Buffer, start: number): number {
    let offset = start;
    if (this.#header === undefined) {
      offset = this.#takeHeader(chunk, offset);
      if (this.#header === undefined) return offset;
    }
    const missing = this.#bodyLength - this.#bodyFilled;
    if (this.#bodyFilled === 0 && chunk.length - offset >= missing) {
      this.#emit(chunk, offset, offset + missing);
      return offset + missing;
    }
    if (this.#memory !== undefined && this.#headerBuffer === chunk) this.#keepHeader();
    if (offset === chunk.length) return offset;
    this.#body ??= this.#memory?.take(this.#bodyLength) ?? Buffer.allocUnsafeSlow(this.#bodyLength);
    const copied = chunk.copy(this.#body, this.#bodyFilled, offset, offset + missing);
    this.#bodyFilled += copied;
    this.#bytesCopied += copied;
    if (this.#bodyFilled === this.#bodyLength) {
      const body = this.#body;
      this.#emit(body, 0, this.#bodyLength);
      this.#memory?.give(body);
    }
    return offset + copied;
  }

  /** The chunk was only lent, and the body has not arrived yet. */
  #keepHeader(): void {
    const space = this.#ownHeaderSpace();
    this.#headerBuffer.copy(space, 0, this.#headerStart, this.#headerStart + HEADER_SIZE);
    this.#headerBuffer = space;
    this.#headerStart = 0;
  }

  /** A buffer of 48 bytes that no other object uses. */
  #ownHeaderSpace(): Buffer {
    if (this.#memory === undefined) return Buffer.allocUnsafeSlow(HEADER_SIZE);
    if (this.#headerSpace.length === 0) this.#headerSpace = Buffer.allocUnsafeSlow(HEADER_SIZE);
    return this.#headerSpace;
  }

  #takeHeader(chunk: Buffer, start: number): number {
    let end: number;
    if (this.#headerFilled === 0 && chunk.length - start >= HEADER_SIZE) {
      end = start + HEADER_SIZE;
      this.#headerBuffer = chunk;
      this.#headerStart = start;
    } else {
      if (this.#headerFilled === 0) {
        this.#headerBuffer = this.#ownHeaderSpace();
        this.#headerStart = 0;
      }
      const missing = HEADER_SIZE - this.#headerFilled;
      const copied = chunk.copy(this.#headerBuffer, this.#headerFilled, start, start + missing);
      end = start + copied;
      this.#headerFilled += copied;
      this.#bytesCopied += copied;
      if (this.#headerFilled < HEADER_SIZE) return end;
    }
    const header = decodeHeader(this.#headerBuffer, this.#headerStart);
    this.#bodyLength = this.#announced(header);
    if (this.#validateHeader !== undefined) {
      const bytes = this.#headerBuffer.subarray(this.#headerStart, this.#headerStart + HEADER_SIZE);
      this.#validateHeader(header, bytes);
    }
    this.#headerFilled = HEADER_SIZE;
    this.#header = header;
    return end;
  }

  /** Number of bytes after `header`. Throws when it announces more than the limits allow. */
  #announced(header: Header): number {
    const { numGroups, dataLength } = header;
    const { maxGroups, maxData, maxBody } = this.#limits;
    if (numGroups < 0 || numGroups > maxGroups) throw pastLimit('num_groups', numGroups, `0..${maxGroups}`);
    if (dataLength < 0 || dataLength > maxData) throw pastLimit('data_len', dataLength, `0..${maxData}`);
    const body = dataLength + MAX_GROUP_NAME * numGroups;
    if (body > maxBody) throw pastLimit('data_len + 32 * num_groups', body, `0..${maxBody}`);
    return this.#client && (header.type & REJECT_MESS) !== 0 ? body + OLD_TYPE_SIZE : body;
  }

  /** Resets the state before the callback runs, so that the callback can read `bufferedBytes`. */
  #emit(buffer: Buffer, start: number, end: number): void {
    const frame = new Frame(
      this.#header as Header,
      this.#headerBuffer,
      this.#headerStart,
      buffer,
      start,
      end,
    );
    this.#header = undefined;
    this.#headerBuffer = NOTHING;
    this.#headerFilled = 0;
    this.#body = undefined;
    this.#bodyFilled = 0;
    this.#onFrame(frame);
  }
}

function pastLimit(field: string, value: number, bound: string): WireError {
  return new WireError(
    'ILLEGAL_MESSAGE',
    field,
    `a header announces ${field} ${value}; allowed is ${bound}`,
    bound,
  );
}
