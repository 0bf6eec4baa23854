import type { Socket } from 'node:net';

/**
 * Breaks a connection with RST. A Unix socket has no such thing and is closed; so is one that is just ending: Node 20
 * takes a reset between end() and its completion for done, never closes the socket, and spins forever when the
 * process is to exit.
 */
export function resetSocket(socket: Socket): void {
  if (socket.writableEnded || socket.remoteAddress === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
