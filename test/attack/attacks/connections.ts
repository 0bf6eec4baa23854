import { connect, type Socket } from 'node:net';
import type { Span } from '../attack.js';

/** What an attacker does with one connection. Resolves when it is done with the connection. */
export type Use = (socket: Socket, span: Span) => Promise<void>;

/**
 * Keeps `count` connections to a port in use until the span is over. A connection that ends is replaced, up to
 * `most` in total.
 *
 * @returns how many connections were made
 */
export async function keepConnections(
  { host, port }: { host: string; port: number },
  { count, most }: { count: number; most: number },
  span: Span,
  use: Use,
): Promise<number> {
  let made = 0;
  const worker = async () => {
    while (!span.isOver && made < most) {
      made++;
      const socket = connect(port, host);
      socket.on('error', () => {});
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      const opened = new Promise<void>((resolve) => socket.once('connect', resolve));
      await Promise.race([opened, closed, span.over]);
      if (!socket.destroyed) await Promise.race([use(socket, span), closed, span.over]);
      socket.destroy();
      // A refused connection must not make a loop that never leaves this turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await Promise.all(Array.from({ length: count }, worker));
  return made;
}

/** Resolves when the socket is closed. */
export function closed(socket: Socket): Promise<void> {
  if (socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => socket.once('close', () => resolve()));
}
