import { createServer, type Server } from 'node:net';
import { onTestFinished } from 'vitest';
import { Interruption } from '../../server/src/cli/terminal/interruption.js';

/** The reason with which a test stops a command. */
export const sigterm = new Interruption('SIGTERM', 143);

/** A listener on a free port, for commands that check whether a port is free. */
export async function listener(): Promise<{ port: number; server: Server }> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { port: (server.address() as { port: number }).port, server };
}
