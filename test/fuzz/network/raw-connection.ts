import { connect, type NetConnectOpts, type Socket } from 'node:net';
import type { Input } from '../engine/input.js';

/** What came of saying something to a server. */
export interface Said {
  /** The beginning of what it answered. */
  readonly answer: Buffer;
  readonly bytes: number;
  /** Whether it closed the connection before we did. */
  readonly closed: boolean;
}

export interface SayOptions {
  /** After how many of the pieces an answer is waited for. Default 0. */
  readonly waitFor?: number;
  /** How long an answer, and at the end the server's own end, is waited for. Unit: ms. */
  readonly patienceMs: number;
  /** End with FIN and wait for the server to close; else with whatever happens first. */
  readonly untilClosed?: boolean;
}

const KEPT = 16 * 1024;

/** Opens a connection. Rejects when nobody takes it. */
export function open(where: NetConnectOpts): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ noDelay: true, allowHalfOpen: true, ...where }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Says the pieces, one a turn of the event loop. What the server does about it is for the caller to judge. */
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
