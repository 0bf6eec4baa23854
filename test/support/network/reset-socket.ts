import type { Socket } from 'node:net';

/**
 * Closes a connection with RST. Closes a Unix socket, which has no RST. Also closes a socket that is just
 * ending: Node 20 treats a reset between end() and its completion as done, never closes the socket, and then
 * uses the processor forever at the exit of the process.
 */
export function resetSocket(socket: Socket): void {
  if (socket.writableEnded || socket.remoteAddress === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
