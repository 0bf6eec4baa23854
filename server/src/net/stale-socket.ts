import { lstatSync, type Stats, statSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { ListenError, toListenError } from './listen-error.js';
import { MAX_SOCKET_PATH_BYTES } from './socket-file.js';

/** Time limit for a live listener to accept the test connection. */
const PROBE_TIMEOUT_MS = 1000;

/**
 * Prepares a path for listening: accepts a free path, and removes the file of a killed process. Rejects a socket
 * in use, and a file that is not a socket.
 */
export async function removeStaleSocket(path: string): Promise<void> {
  const address = `unix:${path}`;
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) {
    throw new ListenError(
      'PATH_TOO_LONG',
      address,
      `its path has ${Buffer.byteLength(path)} bytes`,
      `use a path of at most ${MAX_SOCKET_PATH_BYTES} bytes`,
    );
  }
  let file: Stats;
  try {
    // libuv reports a missing folder as EACCES when it binds.
    statSync(dirname(path));
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return;
    file = found;
  } catch (error) {
    throw toListenError(address, error as NodeJS.ErrnoException);
  }
  if (!file.isSocket()) {
    throw new ListenError(
      'NOT_A_SOCKET',
      address,
      'the path is a file that is not a socket',
      'remove the file or configure another path',
    );
  }
  if (await isServed(path)) {
    throw new ListenError(
      'TAKEN',
      address,
      'another process listens on this socket',
      'stop that process or configure another path',
    );
  }
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw toListenError(address, error as NodeJS.ErrnoException);
  }
}

/** Only a refused connection proves that no process listens; a full backlog (EAGAIN) or silence does not. */
function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    const decide = (served: boolean) => {
      probe.destroy();
      resolve(served);
    };
    probe.setTimeout(PROBE_TIMEOUT_MS, () => decide(true));
    probe.once('connect', () => decide(true));
    probe.once('error', (error: NodeJS.ErrnoException) =>
      decide(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}
