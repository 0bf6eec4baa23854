import {
  type AddressInfo,
  connect,
  createServer,
  type NetConnectOpts,
  type Server,
  type Socket,
} from 'node:net';
import { CLEAR, type Direction, FaultPipe, type LinkConditions } from './fault-pipe.js';
import { resetSocket } from './reset-socket.js';

/** The end of a half-open connection that does not notice the loss of the other end. */
export type StandingEnd = 'client' | 'server';

/** A connection through the proxy: the socket to the client, the socket to the server. */
class Connection {
  readonly #up: FaultPipe;
  readonly #down: FaultPipe;
  #standing: Socket | undefined;

  constructor(
    readonly client: Socket,
    readonly server: Socket,
    conditions: Readonly<LinkConditions>,
    onClosed: () => void,
  ) {
    this.#up = new FaultPipe(client, server, conditions, 'requests');
    this.#down = new FaultPipe(server, client, conditions, 'responses');
    let open = 2;
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.setNoDelay(true);
      one.on('error', () => {
        // Passes a reset to the other end.
        if (this.#standing === undefined) resetSocket(other);
      });
      one.on('close', () => {
        open -= 1;
        if (open === 0) onClosed();
        // After an end, the other direction may still have bytes to forward.
        else if (this.#standing === undefined && !one.readableEnded) other.destroy();
      });
    }
  }

  run(): void {
    this.#up.run();
    this.#down.run();
  }

  cut(): void {
    this.client.destroy();
    this.server.destroy();
  }

  reset(): void {
    resetSocket(this.client);
    resetSocket(this.server);
  }

  halfOpen(standing: StandingEnd): void {
    if (this.#standing !== undefined) return;
    this.#standing = this[standing];
    this.#up.discard();
    this.#down.discard();
    resetSocket(this[standing === 'client' ? 'server' : 'client']);
  }

  /** Resets the remaining end, as a restarted machine does. */
  resetStanding(): void {
    if (this.#standing) resetSocket(this.#standing);
  }
}

/** A TCP link in the middle of a connection, with controllable network faults. */
export class FaultProxy {
  readonly #server: Server;
  readonly #open = new Set<Connection>();
  readonly #conditions: LinkConditions = { ...CLEAR };
  #refusing = false;
  #shut = false;
  /** Number of connections so far. */
  connections = 0;
  /** Times of all attempts to connect, also of those that were reset. Unit: ms, on the monotonic clock. */
  readonly attempts: number[] = [];

  private constructor(target: NetConnectOpts) {
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
      this.attempts.push(performance.now());
      if (this.#refusing || this.#shut) {
        client.on('error', () => {});
        resetSocket(client);
        return;
      }
      this.connections += 1;
      const server = connect({ ...target, allowHalfOpen: true });
      const connection = new Connection(client, server, this.#conditions, () =>
        this.#open.delete(connection),
      );
      this.#open.add(connection);
      connection.run();
    });
  }

  /** Listens on a free port of the loopback interface. A number is a port of that interface. */
  static async start(target: number | NetConnectOpts): Promise<FaultProxy> {
    const where = typeof target === 'number' ? { host: '127.0.0.1', port: target } : target;
    const proxy = new FaultProxy(where);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Number of open connections. */
  get open(): number {
    return this.#open.size;
  }

  /** Changes the conditions of open and new connections. */
  set(conditions: Partial<LinkConditions>): void {
    Object.assign(this.#conditions, conditions);
    for (const connection of this.#open) connection.run();
  }

  /** True: nothing passes in either direction. False: everything passes, including the waiting bytes. */
  set silent(silent: boolean) {
    this.set({ silent });
  }

  /** Nothing passes in this direction. `heal` ends it. */
  silence(silentDirection: Direction): void {
    this.set({ silentDirection });
  }

  /** Whether new connections are reset at once. */
  set refusing(refusing: boolean) {
    this.#refusing = refusing;
  }

  /** The same, independent of `heal`: no server exists. */
  set shut(shut: boolean) {
    this.#shut = shut;
  }

  /** Closes all open connections at both ends. Bytes in flight are lost. */
  cut(): void {
    for (const connection of this.#open) connection.cut();
  }

  /** The same with RST. */
  reset(): void {
    for (const connection of this.#open) connection.reset();
  }

  /**
   * Resets one end of every open connection. Until `heal`, the other end receives nothing, and its bytes are
   * lost.
   */
  halfOpen(standing: StandingEnd): void {
    for (const connection of this.#open) connection.halfOpen(standing);
  }

  /** Ends all faults. Resets the remaining end of half-open connections. */
  heal(): void {
    this.#refusing = false;
    for (const connection of this.#open) connection.resetStanding();
    this.set(CLEAR);
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
