import { linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Largest size of a Unix socket's path: sun_path of Linux has 108 bytes including the final NUL. */
export const MAX_SOCKET_PATH_BYTES = 107;

/** Size of the random bytes in a temporary name. */
const TEMPORARY_NAME_BYTES = 3;

/**
 * The file of a Unix socket on which this process listens. When Node stops listening, it removes the file at the
 * path, even if the file belongs to another process by then. So a server binds to a temporary name, and this class
 * moves the file to its path. It removes the file only while the path still has the same file.
 */
export class SocketFile {
  /** The path for the bind. Set permissions here, before the file is published. */
  readonly bindPath: string;
  #device = -1n;
  #inode = -1n;

  constructor(readonly path: string) {
    this.bindPath = temporaryPath(path);
  }

  /**
   * Moves the file to its path. Call it once, after the bind.
   *
   * @throws ErrnoException, EADDRINUSE when another file exists there by now
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

  /**
   * False when the file was removed, or when another file is at its path, so that no client reaches this process.
   */
  get isInPlace(): boolean {
    const found = lstatSync(this.path, { bigint: true, throwIfNoEntry: false });
    return found !== undefined && found.dev === this.#device && found.ino === this.#inode;
  }

  /** Removes the file if it still belongs to this process. */
  remove(): void {
    try {
      if (this.isInPlace) unlinkSync(this.path);
    } catch {
      // The folder was removed, or is not accessible any more.
    }
  }
}

/** A name in the same folder, within the length limit. Otherwise the path itself. */
function temporaryPath(path: string): string {
  const name = `.${Math.floor(Math.random() * 36 ** 8)
    .toString(36)
    .padStart(8, '0')}`;
  const room = MAX_SOCKET_PATH_BYTES - Buffer.byteLength(join(dirname(path), '/'));
  const bytes = Math.min(room, name.length);
  if (bytes < TEMPORARY_NAME_BYTES) return path;
  return join(dirname(path), name.slice(0, bytes));
}
