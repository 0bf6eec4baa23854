import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import type { Span, Target } from '../attack.js';
import { type Field, firstText, request } from './messages.js';

const SERVICE = '/spread.sidecar.v1.MailboxService';

/** Calls of MailboxService on one HTTP/2 connection, without a gRPC library and its care for the server. */
export class MailboxCalls {
  readonly #session: ClientHttp2Session;
  readonly #headers: Readonly<Record<string, string>>;

  /** @param initialWindow - bytes that the server may send on each stream before the client has read any; default: 65,535 */
  constructor(
    { host, grpcPort }: Target,
    private readonly span: Span,
    { initialWindow = 65_535, token }: { initialWindow?: number; token?: string | undefined } = {},
  ) {
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    this.#session = connect(`http://${host}:${grpcPort}`, {
      settings: { initialWindowSize: initialWindow, enablePush: false },
    });
    this.#session.on('error', () => {});
  }

  get isClosed(): boolean {
    return this.#session.closed || this.#session.destroyed;
  }

  /** Opens a call; the caller writes the requests, and nothing reads the responses. */
  open(method: string): ClientHttp2Stream {
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': `${SERVICE}/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...this.#headers,
    });
    stream.on('error', () => {});
    return stream;
  }

  /** @returns the response without gRPC's five bytes, or the gRPC status; undefined: none came before the span was over */
  async call(method: string, body: Buffer): Promise<Buffer | number | undefined> {
    if (this.isClosed) return undefined;
    const stream = this.open(method);
    const chunks: Buffer[] = [];
    let status: number | undefined;
    const note = (headers: object) => {
      const code = (headers as Record<string, unknown>)['grpc-status'];
      if (code !== undefined) status = Number(code);
    };
    stream
      .on('response', note)
      .on('trailers', note)
      .on('data', (chunk) => chunks.push(chunk))
      .end(body);
    const closed = new Promise<void>((resolve) => stream.once('close', () => resolve()));
    await Promise.race([closed, this.span.over]);
    return status === 0 ? Buffer.concat(chunks).subarray(5) : status;
  }

  /** Opens a mailbox. @returns its ID; undefined: the sidecar rejected */
  async connect(...fields: readonly Field[]): Promise<string | undefined> {
    const answer = await this.call('Connect', request(...fields));
    return answer instanceof Buffer ? firstText(answer) : undefined;
  }

  close(): void {
    this.#session.destroy();
  }
}
