import type { Socket } from 'node:net';

type Done = (error?: Error | null) => void;

/**
 * Keeps a socket readable after a failed write. When a client closes without reading its own copies, writes fail
 * while its last messages are still unread, and Node would discard those together with the socket. The end of the
 * client is visible at the end of its input.
 */
export function ignoreWriteErrors(socket: Socket): void {
  const write = socket._write.bind(socket);
  const writev = socket._writev?.bind(socket);
  const ignoring =
    (done: Done): Done =>
    () =>
      done();
  socket._write = (chunk, encoding, done) => write(chunk, encoding, ignoring(done));
  if (writev) socket._writev = (chunks, done) => writev(chunks, ignoring(done));
}
