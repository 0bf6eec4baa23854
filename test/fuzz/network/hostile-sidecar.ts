import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { MailboxServiceService } from 'spread-sidecar-proto';
import type { Input } from '../engine/input.js';
import { RPCS, type Rpc } from '../targets/request-seeds.js';
import { responseSeeds } from '../targets/response-seeds.js';
import { framed } from './http2-call.js';

/** Header that selects the script for a call. */
export const LANE_HEADER = 'x-lane';

/** The response to one RPC. All other RPCs get valid responses. */
interface Script {
  readonly rpc: Rpc;
  readonly answer: Input;
}

const RPC_OF = new Map(RPCS.map((rpc) => [MailboxServiceService[rpc].path as string, rpc]));

/**
 * A sidecar with arbitrary responses. Pieces of a response: `h name: value` is a header, `t name: value` is a
 * trailer. `reset`, `goaway` and `cut` do what their names say. Everything else is body.
 */
export class HostileSidecar {
  readonly #server: Http2Server = createServer();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #scripts = new Map<string, Script>();
  readonly #good = new Map<Rpc, Buffer>();

  private constructor() {
    for (const { rpc, bytes } of responseSeeds())
      if (!this.#good.has(rpc)) this.#good.set(rpc, framed(bytes));
    this.#server.on('session', (session) => {
      this.#sessions.add(session);
      session.on('error', () => {});
      session.on('close', () => this.#sessions.delete(session));
    });
    this.#server.on('stream', (stream, headers) => {
      stream.on('error', () => {});
      stream.resume();
      const rpc = RPC_OF.get(String(headers[':path']));
      const script = this.#scripts.get(String(headers[LANE_HEADER]));
      if (rpc === undefined) stream.close();
      else if (script?.rpc === rpc) play(stream, script.answer);
      else this.#answerWell(stream, rpc);
    });
  }

  static async start(): Promise<HostileSidecar> {
    const sidecar = new HostileSidecar();
    await new Promise<void>((resolve) => sidecar.#server.listen(0, '127.0.0.1', resolve));
    return sidecar;
  }

  get target(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  answer(lane: string, script: Script): void {
    this.#scripts.set(lane, script);
  }

  async stop(): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answerWell(stream: ServerHttp2Stream, rpc: Rpc): void {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.write(this.#good.get(rpc)!);
    // A Receive stream stays open.
    if (rpc !== 'receive') stream.end();
  }
}

function play(stream: ServerHttp2Stream, pieces: Input): void {
  const lines = (start: string) =>
    pieces
      .filter((piece) => piece.toString('latin1', 0, 2) === start)
      .map((piece) => /^(:?[^:]*):? ?(.*)$/s.exec(piece.toString('latin1', 2)) ?? [])
      .map(([, name = '', value = '']) => [name.toLowerCase(), value] as const);
  try {
    stream.respond(Object.fromEntries(lines('h ')), { waitForTrailers: true });
    stream.on('wantTrailers', () => {
      try {
        stream.sendTrailers(Object.fromEntries(lines('t ')));
      } catch {
        // Node rejects such trailers, even on a hostile server.
        stream.close();
      }
    });
    for (const piece of pieces) {
      const word = piece.length < 8 ? piece.toString('latin1') : '';
      if (word === 'reset') stream.close(2);
      else if (word === 'goaway') stream.session?.goaway(11);
      else if (word === 'cut') stream.session?.destroy();
      else if (!/^[ht] /.test(piece.toString('latin1', 0, 2)) && !stream.destroyed) stream.write(piece);
    }
    if (!stream.destroyed) stream.end();
  } catch {
    stream.close();
  }
}
