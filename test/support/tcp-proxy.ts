import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP connection in the middle that a test can cut: what breaks on the way, at either end's surprise. */
export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #refusing = false;
  /** Connections made through it so far. */
  connections = 0;

  private constructor(targetPort: number) {
    this.#server = createServer((client) => {
      if (this.#refusing) {
        client.destroy();
        return;
      }
      this.connections += 1;
      const upstream = connect(targetPort, '127.0.0.1');
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.#sockets.add(from);
        from.pipe(to);
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
    });
  }

  /** Listens on a free port of the loopback. */
  static async start(targetPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts every connection that stands. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Whether new connections are closed at once. */
  set refusing(refusing: boolean) {
    this.#refusing = refusing;
  }

  /** Stops giving bytes from the server to the clients, as a dead network does, or goes on. */
  set silent(silent: boolean) {
    for (const socket of this.#sockets) {
      if (silent) socket.pause();
      else socket.resume();
    }
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
