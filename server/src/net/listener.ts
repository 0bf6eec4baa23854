import { chmodSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { formatListenAddress, type ListenAddress, type UnixListenAddress } from './listen-address.js';
import { ListenError, toListenError } from './listen-error.js';
import { SocketFile } from './socket-file.js';
import { giveToGroup, groupId } from './socket-group.js';
import { removeStaleSocket } from './stale-socket.js';
import { tcpListenOptions } from './tcp-listen-options.js';

const DEFAULT_SOCKET_MODE = 0o600;

/** A listening socket and its connections. */
export interface Listener {
  /** The real address: with the selected port when 0 was requested. */
  readonly address: ListenAddress;
  /** Number of open connections. */
  readonly connections: number;
  /** False when the socket file was removed or replaced, so that no client reaches this listener. */
  readonly isReachable: boolean;
  /** Stops listening and removes the socket file if it still belongs to this listener. Connections stay open. */
  stopAccepting(): Promise<void>;
  /** Closes the remaining connections. */
  destroyConnections(): void;
}

export interface ListenOptions {
  /**
   * The listening server, if it must be of a certain class. Its own listeners for `connection` must be removed.
   */
  readonly server?: Server;
  /** Called when a connection cannot be accepted, for example with too many open files. The listener continues. */
  readonly onAcceptError?: ((error: Error) => void) | undefined;
}

/**
 * Listens and passes each connection to `onConnection`. Replaces the listener of grpc-js, which reports a port in
 * use only as text, supports no socket modes or stale socket files, and whose forceShutdown() leaves connections
 * of a server without channelz open. Here each connection is known.
 *
 * @throws ListenError
 */
export async function listenOn(
  address: ListenAddress,
  onConnection: (socket: Socket) => void,
  options: ListenOptions = {},
): Promise<Listener> {
  const server = options.server ?? createServer();
  if (address.kind === 'unix') await removeStaleSocket(address.path);
  const file = address.kind === 'unix' ? new SocketFile(address.path) : undefined;
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    onConnection(socket);
  });
  const bound = await bind(server, address, file);
  // An error without a listener would end the process.
  server.on('error', (error) => options.onAcceptError?.(error));
  return {
    address: bound,
    get connections() {
      return sockets.size;
    },
    get isReachable() {
      return file?.isInPlace ?? true;
    },
    async stopAccepting() {
      if (!server.listening) return;
      // The callback would wait for the end of every connection. Listening has stopped when close() returns.
      server.close();
      file?.remove();
    },
    destroyConnections() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function bind(server: Server, address: ListenAddress, file: SocketFile | undefined): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(toListenError(formatListenAddress(address), error));
    server.once('error', fail);
    const listening = () => {
      server.off('error', fail);
      const real = server.address();
      if (address.kind === 'tcp' && real !== null && typeof real === 'object') {
        resolve({ ...address, port: real.port });
      } else {
        resolve(address);
      }
    };
    if (address.kind === 'tcp') {
      const { host, port, ipv6Only = false } = address;
      server.listen(tcpListenOptions(host, port, ipv6Only), listening);
    } else {
      try {
        listenOnSocketFile(server, address, file!, listening);
      } catch (error) {
        server.close();
        if (error instanceof ListenError) reject(error);
        else fail(error as NodeJS.ErrnoException);
      }
    }
  });
}

function listenOnSocketFile(
  server: Server,
  address: UnixListenAddress,
  file: SocketFile,
  listening: () => void,
): void {
  const { mode = DEFAULT_SOCKET_MODE } = address;
  const path = file.bindPath;
  const group = address.group === undefined ? undefined : groupId(address, address.group);
  // Until the socket has its group, members of the initial group must not connect.
  const first = group === undefined ? mode : DEFAULT_SOCKET_MODE;
  withUmask(0o777 & ~first, () => server.listen({ path }, listening));
  // The error event reports a failed bind, after which no file exists.
  if (!server.listening) return;
  if (group !== undefined) giveToGroup(address, path, group);
  chmodSync(path, mode);
  file.publish();
}

/**
 * Creates the file with its final permissions: between a bind with the usual umask and a chmod, any user could
 * connect. A worker thread cannot change the umask, so it uses chmod.
 */
function withUmask(mask: number, action: () => void): void {
  let before: number;
  try {
    before = process.umask(mask);
  } catch {
    action();
    return;
  }
  try {
    action();
  } finally {
    process.umask(before);
  }
}
