import { chmod, lstat, stat, unlink } from 'node:fs/promises';
import { connect, createServer, isIPv4, type ListenOptions, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { MAX_SOCKET_PATH_BYTES, SocketFile } from '../net/socket-file.js';
import { tcpPlace } from '../net/tcp-place.js';
import type { EmbeddedDaemon } from './daemon.js';
import type { Transport } from './events.js';
import { ignoreWriteErrors } from './write-errors.js';

export interface ListenOptionsOfDaemon {
  readonly daemon: EmbeddedDaemon;
  /** Default: no TCP. Port 0 takes a free one, the same for all hosts. */
  readonly tcp?: { readonly host: string | readonly string[]; readonly port: number };
  /** Default: no Unix socket. Real Spread's is `/tmp/<port>`. A socket file that a killed process left is replaced. */
  readonly unixPath?: string;
  /** Asked for each connection; false destroys it. Default: all are served. */
  readonly admit?: (socket: Socket) => boolean;
  /** Told when a listener fails later on, e.g. because the process has no file descriptors left. */
  readonly onError?: (error: Error) => void;
}

export interface Listening {
  readonly tcpPort: number | undefined;
  readonly unixPath: string | undefined;
  /** False when the socket file was removed or replaced: then no client reaches it. */
  readonly isReachable: boolean;
  /** Takes no more clients and removes the socket file, if it is still the one of this process. The daemon and its clients go on. */
  close(): Promise<void>;
}

/** A place to listen at that can't be had. The message names it and says what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError';

  constructor(
    /** `port 4803 on 127.0.0.1` or `Unix socket /tmp/4803`. */
    readonly place: string,
    problem: string,
    override readonly cause?: unknown,
  ) {
    super(`${place} ${problem}`);
  }
}

/**
 * Lets clients come to a daemon by TCP, a Unix socket or both.
 * @throws ListenError when one of the places can't be had; nothing is left open then
 */
export async function listen(options: ListenOptionsOfDaemon): Promise<Listening> {
  const servers: Server[] = [];
  let file: SocketFile | undefined;
  const close = async () => {
    // Listening ends at once; a server's own 'close' would wait for all clients.
    for (const server of servers) server.close();
    file?.remove();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const start = async (transport: Transport, place: string, where: ListenOptions): Promise<Server> => {
    // A client may close only its sending direction; the daemon ends the other one itself.
    const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (socket) => {
      ignoreWriteErrors(socket);
      if (options.admit?.(socket) === false) {
        socket.destroy();
        return;
      }
      options.daemon.handle(socket, transport);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(new ListenError(place, problemOf(error), error)));
      server.listen(where, resolve);
    });
    servers.push(server);
    server.on('error', (error) => options.onError?.(error));
    return server;
  };

  let tcpPort = options.tcp?.port;
  try {
    const hosts = options.tcp ? [options.tcp.host].flat() : [];
    for (const host of hosts) {
      // A socket for :: takes IPv4 connections too, which the system does not allow beside one for IPv4.
      const ipv6Only = isIPv6Any(host) && hosts.some(isIPv4);
      const where = tcpPlace(host, tcpPort, ipv6Only);
      const server = await start('tcp', `port ${tcpPort} on ${host}`, where);
      tcpPort = (server.address() as { port: number }).port;
    }
    if (options.unixPath !== undefined) {
      const place = `Unix socket ${options.unixPath}`;
      await makeWay(options.unixPath, place);
      const own = new SocketFile(options.unixPath);
      await start('unix', place, { path: own.bindPath });
      try {
        // As real Spread does: whoever reaches the folder may connect.
        await chmod(own.bindPath, 0o666);
        own.publish();
      } catch (error) {
        throw new ListenError(place, problemOf(error as NodeJS.ErrnoException), error);
      }
      file = own;
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    tcpPort,
    unixPath: options.unixPath,
    get isReachable() {
      return file?.isInPlace ?? true;
    },
    close,
  };
}

/** Removes the socket file of a process that is no more; refuses when somebody answers, or when it is something else. */
async function makeWay(path: string, place: string): Promise<void> {
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_SOCKET_PATH_BYTES)
    throw new ListenError(
      place,
      `has a path of ${bytes} bytes; ${MAX_SOCKET_PATH_BYTES} is the most: choose a shorter one`,
    );
  // The system calls a missing folder a lack of rights.
  if (!(await stat(dirname(path)).catch(() => undefined)))
    throw new ListenError(place, `can't be made: the folder ${dirname(path)} does not exist`);
  const found = await lstat(path).catch(() => undefined);
  if (!found) return;
  if (!found.isSocket())
    throw new ListenError(place, 'is an existing file that is no socket: remove it, or choose another path');
  const answer = await knock(path);
  if (answer === 'live')
    throw new ListenError(
      place,
      'is in use by a running daemon: stop that one, or choose another port or path',
    );
  if (answer !== 'stale')
    throw new ListenError(place, `exists and can't be examined: ${answer.message}`, answer);
  await unlink(path).catch((error) => {
    throw new ListenError(
      place,
      `was left by a process that is gone and can't be removed: ${error.message}`,
      error,
    );
  });
}

const isIPv6Any = (host: string) => /^[0:]*:[0:]*$/.test(host);

function knock(path: string): Promise<'live' | 'stale' | Error> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve('live');
    });
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ECONNREFUSED' || error.code === 'ENOENT' ? 'stale' : error),
    );
  });
}

function problemOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'is taken by another process, perhaps another Spread daemon: stop that one, or choose another port';
    case 'EADDRNOTAVAIL':
      return 'is not to be had: the address does not belong to this machine';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return "is not to be had: the host name can't be resolved";
    case 'EACCES':
      return 'may not be used by this user: choose another port or path, or run with the rights for it';
    default:
      return `can't be used: ${error.message}`;
  }
}
