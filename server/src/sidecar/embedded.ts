import type { SidecarConfig } from '../config/index.js';
import { EmbeddedDaemon, type Listening, type ListenOptionsOfDaemon, listen } from '../daemon/index.js';
import type { ConnectSession } from '../mailbox/connection/mailbox-session.js';
import { memoryLink } from '../net/memory-link.js';
import type { EmbeddedDaemonEvents } from '../observability/events.js';
import { formatAddress, parseAddress } from '../spread/address.js';
import { netSocketFactory } from '../spread/open-connection.js';
import { Session } from '../spread/session.js';

/** The embedded daemon with its listeners. */
export interface RunningDaemon {
  readonly daemon: EmbeddedDaemon;
  /** Its Spread names for native clients on this machine. */
  readonly addresses: { readonly tcp?: string; readonly unix?: string };
  /** The Spread name for mailboxes: the Unix socket if there is one, because it is faster. */
  readonly address: string;
  /**
   * All names that clients may use for it: these, and those with `localhost`, which Spread programs contain in
   * their code.
   */
  readonly names: readonly string[];
  /** The path of its socket file, if the file was removed or replaced. */
  readonly unreachable: string | undefined;
  stop(): Promise<void>;
}

/** Starts it. @throws ListenError (of the daemon) that names the address and what to do */
export async function startEmbeddedDaemon(
  { embedded }: SidecarConfig,
  maxQueuedBytes: number,
  events: EmbeddedDaemonEvents,
  listening: Pick<ListenOptionsOfDaemon, 'admit' | 'onError'>,
): Promise<RunningDaemon> {
  const daemon = new EmbeddedDaemon({
    name: embedded.name,
    maxSessions: embedded.maxSessions,
    maxSessionMessages: embedded.maxSessionMessages,
    maxQueuedBytes,
    onEvent: (event) => events.event(event),
  });
  const tcp = embedded.listen === 'off' ? undefined : embedded.listen;
  const parts: Listening[] = [];
  try {
    if (tcp) parts.push(await listen({ daemon, tcp, ...listening }));
    const tcpPort = parts[0]?.tcpPort;
    const unixPath = socketPath(embedded.socket, tcpPort);
    if (unixPath) parts.push(await listen({ daemon, unixPath, ...listening }));
    const addresses = {
      tcp: tcp && `${tcpPort}@${reachable(tcp.host)}`,
      unix: unixPath,
    };
    const address = addresses.unix ?? addresses.tcp;
    if (address === undefined) throw new Error('the embedded daemon has no address to listen on');
    const names = [addresses.unix, addresses.tcp, tcp && onLoopback(tcp.host) && `${tcpPort}@localhost`];
    return {
      daemon,
      addresses,
      address,
      names: names.filter((name) => typeof name === 'string'),
      get unreachable() {
        return parts.find((part) => !part.isReachable)?.unixPath;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }

  async function stop(): Promise<void> {
    await Promise.all(parts.map((part) => part.close()));
    await daemon.close();
  }
}

/** Opens sessions of mailboxes: within the process to the embedded daemon, by sockets to other daemons. */
export function sessionOpener({ daemon, names }: RunningDaemon): ConnectSession {
  const embedded = new Set(names.map((name) => formatAddress(parseAddress(name))));
  return (options) => {
    const connectSocket = netSocketFactory(options.sendHighWaterMark);
    return Session.connect({
      ...options,
      socketFactory: (address) => {
        if (!embedded.has(formatAddress(address))) return connectSocket(address);
        const [client, server] = memoryLink(options.sendHighWaterMark);
        daemon.handle(server, 'memory');
        return client;
      },
    });
  };
}

/** `auto` is the path that Spread's own clients use: /tmp/<port>, with the real port. */
function socketPath(configured: string, tcpPort: number | undefined): string | undefined {
  if (configured === 'off') return undefined;
  if (configured !== 'auto') return configured;
  return tcpPort === undefined ? undefined : `/tmp/${tcpPort}`;
}

/** Whether a connection to `localhost` reaches this listener. */
function onLoopback(host: string): boolean {
  return host === 'localhost' || ['127.0.0.1', '::1'].includes(reachable(host));
}

/** Clients cannot connect to an address that means "all interfaces". */
function reachable(host: string): string {
  return ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host;
}
