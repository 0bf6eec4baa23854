import {
  type AddressInfo,
  connect,
  createServer,
  type NetConnectOpts,
  type Server,
  type Socket,
} from 'node:net';
import { CLEAR, FaultPipe, type LinkConditions } from './fault-pipe.js';
import { resetSocket } from './reset-socket.js';

/** The end of a connection that does not learn that the other one is gone. */
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
    this.#up = new FaultPipe(client, server, conditions);
    this.#down = new FaultPipe(server, client, conditions);
    let open = 2;
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.setNoDelay(true);
      one.on('error', () => {
        // A reset at one end is a reset at the other.
        if (this.#standing === undefined) resetSocket(other);
      });
      one.on('close', () => {
        open -= 1;
        if (open === 0) onClosed();
        // After an end, the other direction may still have something to hand on.
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

  /** The end that stands learns it now, as from a machine that is up again. */
  resetStanding(): void {
    if (this.#standing) resetSocket(this.#standing);
  }
}

/** A TCP link in the middle of a connection, with every fault that a network has, at the caller's word. */
export class FaultProxy {
  readonly #server: Server;
  readonly #open = new Set<Connection>();
  readonly #conditions: LinkConditions = { ...CLEAR };
  #refusing = false;
  #shut = false;
  /** Connections made through it so far. */
  connections = 0;

  private constructor(target: NetConnectOpts) {
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
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

  /** Listens on a free port of the loopback. A number is a port of the loopback. */
  static async start(target: number | NetConnectOpts): Promise<FaultProxy> {
    const where = typeof target === 'number' ? { host: '127.0.0.1', port: target } : target;
    const proxy = new FaultProxy(where);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that stand. */
  get open(): number {
    return this.#open.size;
  }

  /** Changes how bytes pass, on connections that stand and on new ones. */
  set(conditions: Partial<LinkConditions>): void {
    Object.assign(this.#conditions, conditions);
    for (const connection of this.#open) connection.run();
  }

  /** Nothing passes in either direction, or everything again: what was sent meanwhile arrives then. */
  set silent(silent: boolean) {
    this.set({ silent });
  }

  /** Whether new connections are reset at once. */
  set refusing(refusing: boolean) {
    this.#refusing = refusing;
  }

  /** The same, whatever `heal` says: there is nobody to connect to. */
  set shut(shut: boolean) {
    this.#shut = shut;
  }

  /** Closes every connection that stands, at both ends. What is on its way is lost. */
  cut(): void {
    for (const connection of this.#open) connection.cut();
  }

  /** The same with RST. */
  reset(): void {
    for (const connection of this.#open) connection.reset();
  }

  /**
   * One end of every connection that stands is reset, and the other one hears nothing more, and what it
   * sends vanishes, until `heal`.
   */
  halfOpen(standing: StandingEnd): void {
    for (const connection of this.#open) connection.halfOpen(standing);
  }

  /** A perfect link again. Connections that are half open are reset at the end that stands. */
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
