import { createServer, isIPv4, type Socket } from 'node:net';
import type { ListenAddress } from '../net/listen-address.js';
import { type Listener, listenOn } from '../net/listener.js';
import type { EmbeddedDaemon } from './daemon.js';
import type { Transport } from './events.js';
import { ignoreWriteErrors } from './output/write-errors.js';

export interface ListenOptionsOfDaemon {
  readonly daemon: EmbeddedDaemon;
  /** Default: no TCP. Port 0 selects a free port, the same for all hosts. */
  readonly tcp?: { readonly host: string | readonly string[]; readonly port: number };
  /** Default: no Unix socket. Real Spread's is `/tmp/<port>`. The socket file of a killed process is replaced. */
  readonly unixPath?: string;
  /** Called for each connection. False destroys it. Default: all are served. */
  readonly admit?: (socket: Socket) => boolean;
  /** Called when a listener fails later, for example when the process has no file descriptors left. */
  readonly onError?: (error: Error) => void;
}

export interface Listening {
  readonly tcpPort: number | undefined;
  readonly unixPath: string | undefined;
  /** False when the socket file was removed or replaced, so that no client reaches it. */
  readonly isReachable: boolean;
  /**
   * Stops listening and removes the socket file if it still belongs to this process. The daemon and its clients
   * continue.
   */
  close(): Promise<void>;
}

/** Real Spread allows every user to connect who can reach the folder of its socket. */
const SOCKET_MODE = 0o666;

/**
 * Accepts clients of a daemon by TCP, a Unix socket or both.
 *
 * @throws ListenError when the daemon cannot listen on one of the addresses; then it listens on none
 */
export async function listen(options: ListenOptionsOfDaemon): Promise<Listening> {
  const listeners: Listener[] = [];
  const close = async () => {
    await Promise.all(listeners.map((listener) => listener.stopAccepting()));
    await new Promise((resolve) => setImmediate(resolve));
  };
  const open = async (transport: Transport, address: ListenAddress): Promise<Listener> => {
    const serve = (socket: Socket) => {
      ignoreWriteErrors(socket);
      if (options.admit?.(socket) === false) socket.destroy();
      else options.daemon.handle(socket, transport);
    };
    // A client may close only its sending direction. The daemon ends the other direction itself.
    const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true });
    const listener = await listenOn(address, serve, { server, onAcceptError: options.onError });
    listeners.push(listener);
    return listener;
  };
  try {
    const tcpPort = await listenOnHosts(options.tcp, (address) => open('tcp', address));
    const { unixPath } = options;
    const unix =
      unixPath === undefined
        ? undefined
        : await open('unix', { kind: 'unix', path: unixPath, mode: SOCKET_MODE });
    return {
      tcpPort,
      unixPath,
      get isReachable() {
        return unix?.isReachable ?? true;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Listens on one port of all hosts. Returns the port. */
async function listenOnHosts(
  tcp: ListenOptionsOfDaemon['tcp'],
  open: (address: ListenAddress) => Promise<Listener>,
): Promise<number | undefined> {
  if (tcp === undefined) return undefined;
  let { port } = tcp;
  const hosts = [tcp.host].flat();
  for (const host of hosts) {
    // A socket for :: also accepts IPv4 connections, and the system does not allow it beside a socket for IPv4.
    const ipv6Only = isIPv6Any(host) && hosts.some(isIPv4);
    const { address } = await open({ kind: 'tcp', host, port, ipv6Only });
    if (address.kind === 'tcp') ({ port } = address);
  }
  return port;
}

const isIPv6Any = (host: string) => /^[0:]*:[0:]*$/.test(host);
