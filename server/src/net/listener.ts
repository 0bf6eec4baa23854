import { chmodSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { formatListenAddress, type ListenAddress, type UnixListenAddress } from './listen-address.js';
import { ListenError, toListenError } from './listen-error.js';
import { SocketFile } from './socket-file.js';
import { giveToGroup, groupId } from './socket-group.js';
import { removeStaleSocket } from './stale-socket.js';
import { tcpListenOptions } from './tcp-listen-options.js';

const DEFAULT_SOCKET_MODE = 0o600;

/** A listening socket and the connections that came through it. */
export interface Listener {
  /** The real address: with the port that was taken when 0 was asked for. */
  readonly address: ListenAddress;
  /** Connections that are open now. */
  readonly connections: number;
  /** False when the socket file was removed or replaced: then no client reaches this listener. */
  readonly isReachable: boolean;
  /** Stops accepting and removes the socket file, if it is still the one of this listener. Connections stay open. */
  stopAccepting(): Promise<void>;
  /** Cuts what is still connected. */
  destroyConnections(): void;
}

export interface ListenOptions {
  /** What listens, when it has to be a server of some kind. Its own listeners for `connection` are to be gone. */
  readonly server?: Server;
  /** Called when a connection can't be accepted, as with too many open files. The listener continues. */
  readonly onAcceptError?: ((error: Error) => void) | undefined;
}

/**
 * Listens and hands each connection to `onConnection`. grpc-js could listen by itself, but it reports a
 * taken port only as text, knows no socket modes or stale socket files, and its forceShutdown() leaves the
 * connections of a server without channelz open; here each connection is known.
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
  // Without a listener it would end the process.
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
      // The callback waits for every connection to end; accepting has stopped when close() returns.
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
  // A bind that failed is reported by the error event; there is no file then.
  if (!server.listening) return;
  if (group !== undefined) giveToGroup(address, path, group);
  chmodSync(path, mode);
  file.publish();
}

/**
 * The file appears with its final permissions: between a bind with the usual umask and a chmod anybody
 * could connect. A worker thread may not change the umask; there the chmod has to do.
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
