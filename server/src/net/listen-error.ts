/** The reason why a process cannot listen on an address. */
export type ListenErrorReason =
  /** Another process (or this one) listens there. */
  | 'TAKEN'
  /** The user of this process lacks the permission. */
  | 'NOT_PERMITTED'
  /** The host is not an address of this machine, or its name cannot be resolved. */
  | 'NO_SUCH_HOST'
  /** The folder of the socket file does not exist. */
  | 'NO_SUCH_FOLDER'
  /** A file that is not a socket exists at the path. */
  | 'NOT_A_SOCKET'
  /** The path is longer than a Unix socket address. */
  | 'PATH_TOO_LONG'
  /** The group of the socket is unknown, or this user may not assign it. */
  | 'GROUP'
  | 'OTHER';

/** A failure to listen on an address. The message names the address and says what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError';

  constructor(
    readonly reason: ListenErrorReason,
    /** The address in the form of formatListenAddress. */
    readonly address: string,
    problem: string,
    advice: string,
    options?: ErrorOptions,
  ) {
    super(`cannot listen on ${address}: ${problem}; ${advice}`, options);
  }
}

const ANOTHER = 'or configure another address';

/** Converts Node's error of listening to a ListenError. */
export function toListenError(address: string, error: NodeJS.ErrnoException): ListenError {
  const options = { cause: error };
  switch (error.code) {
    case 'EADDRINUSE':
      return new ListenError(
        'TAKEN',
        address,
        'another process listens on it',
        `stop that process ${ANOTHER} (port 0 selects a free port)`,
        options,
      );
    case 'EACCES':
    case 'EPERM':
      return new ListenError(
        'NOT_PERMITTED',
        address,
        'this user is not permitted to listen there',
        `grant the permission ${ANOTHER} (required for ports below 1024 and folders of other users)`,
        options,
      );
    case 'EADDRNOTAVAIL':
      return new ListenError(
        'NO_SUCH_HOST',
        address,
        'this machine does not have that address',
        `use an address of this machine, such as 127.0.0.1 or 0.0.0.0`,
        options,
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ListenError(
        'NO_SUCH_HOST',
        address,
        'the host name cannot be resolved',
        `use an IP address, such as 127.0.0.1`,
        options,
      );
    case 'ENOENT':
    case 'ENOTDIR':
      return new ListenError(
        'NO_SUCH_FOLDER',
        address,
        'the folder does not exist',
        `create the folder ${ANOTHER}`,
        options,
      );
    default:
      return new ListenError('OTHER', address, error.message, `configure another address`, options);
  }
}
