import { connect, type NetConnectOpts, type Socket } from 'node:net';
import type { Input } from '../engine/input.js';

/** The response of a server to the pieces. */
export interface Said {
  /** The beginning of the response. */
  readonly answer: Buffer;
  readonly bytes: number;
  /** Whether the server closed the connection before the client did. */
  readonly closed: boolean;
}

export interface SayOptions {
  /** Number of pieces after which the client waits for a response. Default 0. */
  readonly waitFor?: number;
  /** Time limit for each response, and for the server's end of the connection. Unit: ms. */
  readonly patienceMs: number;
  /** Whether to send FIN and wait until the server closes. Otherwise, the first event ends the wait. */
  readonly untilClosed?: boolean;
}

const KEPT = 16 * 1024;

/** Opens a connection. Rejects when no server accepts it. */
export function open(where: NetConnectOpts): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ noDelay: true, allowHalfOpen: true, ...where }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Writes the pieces, one in each turn of the event loop. The caller judges the response. */
export async function say(socket: Socket, pieces: Input, options: SayOptions): Promise<Said> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let closed = false;
  let wake = () => {};
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    if (bytes < KEPT) chunks.push(chunk);
    bytes += chunk.length;
    wake();
  });
  const end = () => {
    closed = true;
    wake();
  };
  socket.once('end', end);
  socket.once('close', end);
  const woken = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  for (const [index, piece] of pieces.entries()) {
    if (closed) break;
    const before = bytes;
    socket.write(piece);
    if (index < (options.waitFor ?? 0)) {
      if (bytes === before && !closed) await woken(options.patienceMs);
    } else await new Promise((resolve) => setImmediate(resolve));
  }
  if (options.untilClosed && !closed) socket.end();
  const limit = performance.now() + options.patienceMs;
  while (!closed && performance.now() < limit) await woken(limit - performance.now());
  socket.destroy();
  return { answer: Buffer.concat(chunks).subarray(0, KEPT), bytes, closed };
}
