import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { onTestFinished } from 'vitest';
import { grpcMessage } from '../support/network/http2-frames.js';
import { until } from '../support/until.js';

const HEAD_BYTES = 5;

/** Number of gRPC messages in each direction in the calls of one method. */
export interface Count {
  sent: number;
  received: number;
}

/** A gRPC client on Node's HTTP/2 that counts messages by the bytes on the wire. */
export class CountedCalls {
  /** Counts by path. */
  readonly counts = new Map<string, Count>();

  constructor(private readonly session: ClientHttp2Session) {}

  /** @param target - host:port; the connection is closed when the running test ends */
  static connect(target: string): CountedCalls {
    const session = connect(`http://${target}`);
    session.on('error', () => {});
    onTestFinished(() => session.destroy());
    return new CountedCalls(session);
  }

  /** Starts a call. */
  open(path: string, metadata: Readonly<Record<string, string>> = {}): CountedCall {
    const count = this.counts.get(path) ?? { sent: 0, received: 0 };
    this.counts.set(path, count);
    const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
    return new CountedCall(this.session.request({ ...headers, ...metadata }), count);
  }

  /** A complete unary call. @returns the response; undefined when the call failed */
  async unary(
    path: string,
    request: Buffer,
    metadata?: Readonly<Record<string, string>>,
  ): Promise<Buffer | undefined> {
    const call = this.open(path, metadata);
    call.send(request);
    await call.end();
    return call.messages[0];
  }
}

/** One call of CountedCalls. */
export class CountedCall {
  /** The responses that have arrived. */
  readonly messages: Buffer[] = [];
  #bytes = Buffer.alloc(0);
  #hasEnded = false;

  constructor(
    private readonly stream: ClientHttp2Stream,
    private readonly count: Count,
  ) {
    stream.on('error', () => {});
    stream.once('close', () => {
      this.#hasEnded = true;
    });
    stream.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      while (this.#bytes.length >= HEAD_BYTES) {
        const end = HEAD_BYTES + this.#bytes.readUInt32BE(1);
        if (this.#bytes.length < end) return;
        this.messages.push(this.#bytes.subarray(HEAD_BYTES, end));
        this.#bytes = this.#bytes.subarray(end);
        count.received++;
      }
    });
  }

  send(message: Buffer): void {
    this.count.sent++;
    this.stream.write(grpcMessage(message));
  }

  /** Half-closes the call: no more requests follow. */
  halfClose(): void {
    this.stream.end();
  }

  /** Half-closes the call and waits for its end. */
  async end(): Promise<void> {
    this.halfClose();
    await until(() => this.#hasEnded, { what: 'the end of the call' });
  }

  cancel(): void {
    this.stream.close(8);
  }
}
