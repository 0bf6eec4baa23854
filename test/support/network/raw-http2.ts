import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { FLAG, FRAME, frame, type Http2Frame, Http2FrameReader, PREFACE, settings } from './http2-frames.js';

/** Maximum number of retained frames. All are counted. */
const KEPT = 20_000;

export interface RawHttp2Options {
  /** False: sends neither preface nor SETTINGS, and acknowledges nothing. */
  readonly hello?: boolean;
  /** SETTINGS by number. */
  readonly values?: Readonly<Record<number, number>>;
}

/**
 * A client that writes its own HTTP/2 frames, so that it can misbehave. By default it acknowledges SETTINGS
 * and PING.
 */
export class RawHttp2 {
  readonly frames: Http2Frame[] = [];
  polite = true;
  closed = false;
  readonly #counts = new Map<number, number>();

  private constructor(readonly socket: Socket) {
    const reader = new Http2FrameReader((found) => this.#onFrame(found));
    socket.on('data', (chunk) => reader.push(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static async connect(to: NetConnectOpts, options: RawHttp2Options = {}): Promise<RawHttp2> {
    const socket = connect(to);
    const raw = new RawHttp2(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    if (options.hello !== false) raw.write(PREFACE, settings(options.values));
    else raw.polite = false;
    return raw;
  }

  /** False if the peer does not read fast enough. */
  write(...frames: readonly Buffer[]): boolean {
    return this.socket.write(Buffer.concat(frames));
  }

  /** Resolves when the socket accepted everything or is closed. */
  async drained(): Promise<void> {
    if (this.closed || !this.socket.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      this.socket.once('drain', resolve);
      this.socket.once('close', () => resolve());
    });
  }

  /** Number of received frames of a type. */
  count(type: number): number {
    return this.#counts.get(type) ?? 0;
  }

  /** The first GOAWAY. Node sends a second one, without text, when it closes the connection. */
  get goaway(): { readonly code: number; readonly text: string } | undefined {
    const found = this.frames.find(({ type }) => type === FRAME.GOAWAY);
    return found && { code: found.payload.readUInt32BE(4), text: found.payload.subarray(8).toString() };
  }

  /** The code of the RST_STREAM of a stream. */
  resetOf(stream: number): number | undefined {
    return this.#frameOf(FRAME.RST_STREAM, stream)?.payload.readUInt32BE(0);
  }

  /** Whether HEADERS have arrived for a stream. */
  isAnswered(stream: number): boolean {
    return this.#frameOf(FRAME.HEADERS, stream) !== undefined;
  }

  #frameOf(type: number, stream: number): Http2Frame | undefined {
    return this.frames.find((one) => one.type === type && one.stream === stream);
  }

  #onFrame(found: Http2Frame): void {
    this.#counts.set(found.type, this.count(found.type) + 1);
    if (this.frames.length < KEPT) this.frames.push(found);
    if (!this.polite || found.flags & FLAG.ACK) return;
    if (found.type === FRAME.SETTINGS) this.write(frame(FRAME.SETTINGS, FLAG.ACK));
    if (found.type === FRAME.PING) this.write(frame(FRAME.PING, FLAG.ACK, 0, found.payload));
  }
}
