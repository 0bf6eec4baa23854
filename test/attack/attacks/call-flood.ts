import {
  callHeaders,
  FLAG,
  FRAME,
  frame,
  grpcMessage,
  PREFACE,
  settings,
  windowUpdate,
} from '../../support/network/http2-frames.js';
import type { Attack } from '../attack.js';
import { closed, keepConnections } from './connections.js';
import { message } from './messages.js';

const CONNECTIONS = 50;
/** Calls that one connection keeps open. The next call starts when one has its status. */
const OPEN_CALLS = 20;
const SERVICE = '/spread.sidecar.v1.MailboxService';
/** The calls of each connection, in turn: a unary call, a unary call that fails, a stream of requests, a stream of responses. */
const CALLS = [
  { path: `${SERVICE}/GetVersion`, body: message() },
  { path: `${SERVICE}/GetMailbox`, body: message([1, 'no-such-mailbox']) },
  { path: `${SERVICE}/MulticastStream`, body: message([1, message([1, 'no-such-mailbox'])]) },
  { path: `${SERVICE}/Receive`, body: message([1, 'no-such-mailbox']) },
];
const HEADER_BYTES = 9;
const LARGEST_WINDOW = 2 ** 31 - 1 - 65_535;

export const callFlood: Attack = {
  name: 'call-flood',
  text: `small unary calls and short streams, back to back: ${CONNECTIONS} connections with ${OPEN_CALLS} open calls each`,
  serve: { memoryMiB: 512 },
  seconds: { short: 3, full: 15 },
  bounds: { peakMiB: 512 },
  async run({ host, grpcPort }, span) {
    let answered = 0;
    const limits = { count: CONNECTIONS, most: span.short ? 100 : 500 };
    const connections = await keepConnections({ host, port: grpcPort }, limits, span, async (socket) => {
      let stream = 1;
      const next = () => {
        const { path, body } = CALLS[((stream - 1) / 2) % CALLS.length] as (typeof CALLS)[number];
        const id = stream;
        stream += 2;
        return Buffer.concat([
          frame(FRAME.HEADERS, FLAG.END_HEADERS, id, callHeaders(path)),
          frame(FRAME.DATA, FLAG.END_STREAM, id, grpcMessage(body)),
        ]);
      };
      const ends = new EndCounter();
      socket.on('data', (chunk) => {
        const count = ends.push(chunk);
        answered += count;
        if (count > 0 && !span.isOver) socket.write(Buffer.concat(Array.from({ length: count }, next)));
      });
      socket.write(
        Buffer.concat([
          PREFACE,
          settings(),
          windowUpdate(0, LARGEST_WINDOW),
          ...Array.from({ length: OPEN_CALLS }, next),
        ]),
      );
      await closed(socket);
    });
    return { connections, answered };
  },
};

/** Counts the streams that end in a stream of HTTP/2 frames, without a copy of the frames. */
class EndCounter {
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;
  /** Bytes of the current frame's payload that are still to come. */
  #rest = 0;

  push(chunk: Buffer): number {
    let ends = 0;
    let at = 0;
    while (at < chunk.length) {
      if (this.#rest > 0) {
        const skipped = Math.min(this.#rest, chunk.length - at);
        this.#rest -= skipped;
        at += skipped;
        continue;
      }
      this.#header[this.#headerBytes++] = chunk[at++] as number;
      if (this.#headerBytes < HEADER_BYTES) continue;
      this.#headerBytes = 0;
      this.#rest = this.#header.readUIntBE(0, 3);
      const [type, flags] = [this.#header[3] as number, this.#header[4] as number];
      if (type === FRAME.RST_STREAM || (type <= FRAME.HEADERS && flags & FLAG.END_STREAM)) ends++;
    }
    return ends;
  }
}
