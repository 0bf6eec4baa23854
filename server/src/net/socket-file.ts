import { linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Most bytes of a Unix socket's path: sun_path of Linux has 108 with the closing NUL. */
export const MAX_SOCKET_PATH_BYTES = 107;

/** Bytes of a name for the time before the file is at its path. */
const TEMPORARY_NAME_BYTES = 3;

/**
 * The file of a Unix socket that this process listens on. Node removes a socket file by its path when it stops listening,
 * whoever the file belongs to by then. So a server binds to a temporary name, and the file is moved to its path, and removed
 * from there only while it still is the same file.
 */
export class SocketFile {
  /** Where the server has to bind. Permissions are to be set here, before the file is published. */
  readonly bindPath: string;
  #device = -1n;
  #inode = -1n;

  constructor(readonly path: string) {
    this.bindPath = temporaryPath(path);
  }

  /**
   * Moves the file to its path; call it once the server is bound.
   *
   * @throws ErrnoException, EADDRINUSE when another file has come there
   */
  publish(): void {
    const { dev, ino } = lstatSync(this.bindPath, { bigint: true });
    this.#device = dev;
    this.#inode = ino;
    if (this.bindPath === this.path) return;
    try {
      linkSync(this.bindPath, this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
        unlinkSync(this.bindPath);
        throw Object.assign(new Error('another process has replaced the socket file'), {
          code: 'EADDRINUSE',
        });
      }
      // A file system without hard links.
      renameSync(this.bindPath, this.path);
      return;
    }
    unlinkSync(this.bindPath);
  }

  /** False when the file was removed, or when another one stands at its path: then no client reaches this process. */
  get isInPlace(): boolean {
    const found = lstatSync(this.path, { bigint: true, throwIfNoEntry: false });
    return found !== undefined && found.dev === this.#device && found.ino === this.#inode;
  }

  /** Removes the file, if it is still the one of this process. */
  remove(): void {
    try {
      if (this.isInPlace) unlinkSync(this.path);
    } catch {
      // The folder has gone, or is not ours any more.
    }
  }
}

/** In the same folder, and no longer than the path may be; else the path itself. */
function temporaryPath(path: string): string {
  const name = `.${Math.floor(Math.random() * 36 ** 8)
    .toString(36)
    .padStart(8, '0')}`;
  const room = MAX_SOCKET_PATH_BYTES - Buffer.byteLength(join(dirname(path), '/'));
  const bytes = Math.min(room, name.length);
  if (bytes < TEMPORARY_NAME_BYTES) return path;
  return join(dirname(path), name.slice(0, bytes));
}
