import { lstatSync, type Stats, statSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { ListenError, toListenError } from './listen-error.js';
import { MAX_SOCKET_PATH_BYTES } from './socket-file.js';

/** How long a live listener may take to accept the connection that asks whether it is there. */
const PROBE_TIMEOUT_MS = 1000;

/**
 * Makes the path free to listen on: nothing there is fine, the file that a killed process left behind is
 * removed. A socket in use is rejected, and so is a file that is not a socket.
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
