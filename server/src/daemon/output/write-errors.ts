import type { Socket } from 'node:net';

type Done = (error?: Error | null) => void;

/**
 * Lets a socket be read to its end although writing to it fails. A client that closes without having read its own
 * copies makes writes fail while its last messages are still to be read, and Node would drop those together with the
 * socket. That the client is gone shows at the end of what it sent.
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
