/** Why an address can't be listened on. */
export type ListenErrorReason =
  /** Another process (or this one) listens there. */
  | 'TAKEN'
  /** The user of this process may not listen there. */
  | 'NOT_PERMITTED'
  /** The host is none of this machine's addresses, or its name can't be resolved. */
  | 'NO_SUCH_HOST'
  /** The folder of the socket file is not there. */
  | 'NO_SUCH_FOLDER'
  /** Something that is no socket stands at the path. */
  | 'NOT_A_SOCKET'
  /** The path has more bytes than a Unix socket address holds. */
  | 'PATH_TOO_LONG'
  /** The group of the socket is not known, or this user may not give the socket to it. */
  | 'GROUP'
  | 'OTHER';

/** An address that can't be listened on. The message names the address and says what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError';

  constructor(
    readonly reason: ListenErrorReason,
    /** The address, as formatListenAddress writes it. */
    readonly address: string,
    problem: string,
    advice: string,
    options?: ErrorOptions,
  ) {
    super(`cannot listen on ${address}: ${problem}; ${advice}`, options);
  }
}

const ANOTHER = 'or configure another address';

/** Turns what Node says when listening fails into a ListenError. */
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
