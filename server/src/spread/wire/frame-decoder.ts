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

/** What a header may announce. Checked when its 48 bytes are there, before memory is taken for what follows. */
export interface FrameLimits {
  /** Most names in the group list (of a view: members). */
  readonly maxGroups: number;
  /** Most bytes of data, groups not counted. */
  readonly maxData: number;
  /** Most bytes of data + 32 × groups. */
  readonly maxBody: number;
}

/**
 * Limits for what a daemon sends. Messages have at most 100 groups, but a view lists every member of its group, and
 * once more in its sets: a 5.0.1 daemon assembles each of the two in 144,000 bytes, which is 4500 names.
 */
export const CLIENT_FRAME_LIMITS: FrameLimits = Object.freeze({
  maxGroups: 4500,
  maxData: DAEMON_MAX_DATA,
  maxBody: 2 * DAEMON_MAX_DATA,
});

/** Limits for what a client sends: those at which a 5.0.1 daemon drops the session (transcripts 51, 54 and 63). */
export const DAEMON_FRAME_LIMITS: FrameLimits = Object.freeze({
  maxGroups: MAX_GROUPS,
  maxData: DAEMON_MAX_DATA,
  maxBody: DAEMON_MAX_BODY,
});

/**
 * One frame of either direction. The receiver of the frame owns its bytes, and nothing writes to them later, unless the
 * decoder lends them (`memory`). Views on them are made when they are asked for, because most frames are read where they lie.
 */
export class Frame {
  readonly #headerBuffer: Buffer;
  readonly #headerStart: number;

  /**
   * @param header the 48 bytes as numbers
   * @param buffer holds the body
   * @param start where in `buffer` the body begins
   * @param end where it ends
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

  /** The 48 bytes as they came. */
  get headerBytes(): Buffer {
    return this.#headerBuffer.subarray(this.#headerStart, this.#headerStart + HEADER_SIZE);
  }

  /** Everything behind the header: [old type, 4 bytes, in reject frames from a daemon] groups data. */
  get body(): Buffer {
    return this.buffer.subarray(this.start, this.end);
  }
}

export interface FrameDecoderOptions {
  /** Whose side we are on: a client reads reject frames (4 bytes longer) that a daemon never gets. */
  readonly role: 'client' | 'daemon';
  /** Default: CLIENT_FRAME_LIMITS or DAEMON_FRAME_LIMITS, by role. */
  readonly limits?: FrameLimits;
  /** Called when 48 bytes are complete and within the limits, before the rest is awaited; throws to reject. */
  readonly validateHeader?: (header: Header, headerBytes: Buffer) => void;
  /**
   * Where bodies that come in pieces are put together. With it everything is lent: a chunk to the decoder until `push`
   * returns, a frame and its views to `onFrame` until that returns. Without it both are given away for good.
   */
  readonly memory?: FrameMemory;
}

/** Buffers that are used again. */
export interface FrameMemory {
  /** A buffer of at least so many bytes. */
  take(bytes: number): Buffer;
  give(buffer: Buffer): void;
}

const NOTHING = Buffer.alloc(0);

/**
 * Cuts a byte stream into frames, whatever the cuts of its chunks. A frame whose parts lie within one chunk is handed
 * out as views on that chunk; otherwise each byte is copied once, into a buffer of exactly the announced size: linear
 * in time for any chunks. Chunks are taken over: the caller must never write to them again, unless there is a `memory`.
 *
 * `push` throws WireError ILLEGAL_MESSAGE for a header past a limit, and whatever `validateHeader` or `onFrame` throw.
 * After any throw the decoder is dead: the place of the next frame is unknown, and each further push throws the same.
 */
export class FrameDecoder {
  readonly #onFrame: (frame: Frame) => void;
  readonly #limits: FrameLimits;
  readonly #client: boolean;
  readonly #validateHeader: FrameDecoderOptions['validateHeader'];
  readonly #memory: FrameMemory | undefined;
  /** With a memory: holds each header that does not lie in one chunk with its body. */
  #headerSpace = NOTHING;

  /** Holds the header of the frame whose body is awaited, or as much of it as has come. */
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

  /** Bytes of a frame that is not complete yet; 0 between frames. */
  get bufferedBytes(): number {
    return this.#headerFilled + this.#bodyFilled;
  }

  /** Bytes copied so far because a frame came in pieces: never more than were pushed. */
  get bytesCopied(): number {
    return this.#bytesCopied;
  }

  /** Takes the next bytes and calls `onFrame` for each frame that they complete. */
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

  /** Takes what it can of one frame from `offset` on; returns the offset behind it. */
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

  /** The chunk was only lent, and the body is still to come. */
  #keepHeader(): void {
    const space = this.#ownHeaderSpace();
    this.#headerBuffer.copy(space, 0, this.#headerStart, this.#headerStart + HEADER_SIZE);
    this.#headerBuffer = space;
    this.#headerStart = 0;
  }

  /** 48 bytes that no other object uses. */
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

  /** Bytes that follow `header`; throws when it announces more than the limits allow. */
  #announced(header: Header): number {
    const { numGroups, dataLength } = header;
    const { maxGroups, maxData, maxBody } = this.#limits;
    if (numGroups < 0 || numGroups > maxGroups) throw pastLimit('num_groups', numGroups, `0..${maxGroups}`);
    if (dataLength < 0 || dataLength > maxData) throw pastLimit('data_len', dataLength, `0..${maxData}`);
    const body = dataLength + MAX_GROUP_NAME * numGroups;
    if (body > maxBody) throw pastLimit('data_len + 32 * num_groups', body, `0..${maxBody}`);
    return this.#client && (header.type & REJECT_MESS) !== 0 ? body + OLD_TYPE_SIZE : body;
  }

  /** The state is that between frames before the callback runs, so that it may look at `bufferedBytes`. */
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
