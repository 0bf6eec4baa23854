import { type ClientHttp2Session, connect, constants, type OutgoingHttpHeaders } from 'node:http2';
import type { CallEnd } from './grpc-status.js';

/** One connection for many calls. Reconnects when the connection breaks. */
export class Http2Channel {
  #session: ClientHttp2Session | undefined;

  constructor(private readonly authority: string) {}

  get session(): ClientHttp2Session {
    if (this.#session === undefined || this.#session.closed || this.#session.destroyed) {
      this.#session = connect(this.authority);
      this.#session.on('error', () => {});
      this.#session.on('goaway', () => this.#session?.close());
    }
    return this.#session;
  }

  close(): Promise<void> {
    const session = this.#session;
    if (session === undefined || session.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      session.once('close', resolve);
      session.destroy();
    });
  }
}

export interface Http2CallOptions {
  readonly headers: OutgoingHttpHeaders;
  readonly data: readonly Buffer[];
  /** Half-closes the stream after the data. */
  readonly end: boolean;
  /** Whether to cancel as soon as data arrives, for streams that stay open. */
  readonly cancelAtData?: boolean;
  readonly patienceMs: number;
}

export interface Http2Answer extends CallEnd {
  readonly data: Buffer;
  /** Whether the call was cancelled after `patienceMs`. */
  readonly late: boolean;
}

/** Node's client does not always report the end of a stream that it cancelled before sending it. Unit: ms. */
const CANCEL_MS = 200;

/** One call. Throws the error of node:http2 for headers that it does not send. */
export function http2Call(channel: Http2Channel, options: Http2CallOptions): Promise<Http2Answer> {
  const stream = channel.session.request(options.headers, { endStream: false });
  return new Promise((resolve) => {
    const data: Buffer[] = [];
    let http: number | undefined;
    let trailers: Record<string, unknown> = {};
    let late = false;
    let ended = false;
    const cancel = () => stream.close(constants.NGHTTP2_CANCEL);
    let timer = setTimeout(() => {
      late = true;
      cancel();
      timer = setTimeout(finish, CANCEL_MS);
    }, options.patienceMs);
    stream.on('response', (headers) => {
      http = headers[':status'];
      if (headers['grpc-status'] !== undefined) trailers = headers;
    });
    stream.on('trailers', (headers) => {
      trailers = headers;
    });
    stream.on('data', (chunk: Buffer) => {
      data.push(chunk);
      if (options.cancelAtData) cancel();
    });
    stream.on('error', () => {});
    const finish = () => {
      clearTimeout(timer);
      if (ended) return;
      ended = true;
      const text = (name: string) => (trailers[name] === undefined ? undefined : String(trailers[name]));
      const code = text('grpc-status');
      resolve({
        http,
        code: code === undefined ? undefined : Number(code),
        message: text('grpc-message') ?? '',
        details: text('grpc-status-details-bin'),
        data: Buffer.concat(data),
        late,
      });
    };
    stream.on('close', finish);
    for (const chunk of options.data) stream.write(chunk);
    if (options.end) stream.end();
  });
}

/** A gRPC message with its prefix of five bytes. */
export function framed(message: Buffer, flag = 0): Buffer {
  const frame = Buffer.alloc(5 + message.length);
  frame[0] = flag;
  frame.writeUInt32BE(message.length, 1);
  message.copy(frame, 5);
  return frame;
}
