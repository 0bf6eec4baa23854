import type { Socket } from 'node:net';

/**
 * The connections of a port, up to a bound. When there are too many, the address that has the most of them loses its oldest one:
 * connections that stay open must not keep a probe from another address, or a new one, out.
 */
export class ConnectionTable {
  /** In the order in which they were last used. */
  readonly #addresses = new Map<Socket, string>();

  /** @param onEvicted - called with the address of each connection that is destroyed for another one */
  constructor(
    private readonly most: number,
    private readonly onEvicted: (address: string) => void = () => {},
  ) {}

  get size(): number {
    return this.#addresses.size;
  }

  /** Adds a connection until it closes; destroys another one if there are too many. */
  add(socket: Socket): void {
    this.#addresses.set(socket, socket.remoteAddress ?? '');
    socket.once('close', () => this.#addresses.delete(socket));
    if (this.#addresses.size <= this.most) return;
    const victim = this.#oldestOf(this.#busiestAddress());
    if (victim === undefined) return;
    this.onEvicted(this.#addresses.get(victim) ?? '');
    this.#addresses.delete(victim);
    victim.destroy();
  }

  /** The connection has done something; others come before it when one has to go. */
  used(socket: Socket): void {
    const address = this.#addresses.get(socket);
    if (address === undefined) return;
    this.#addresses.delete(socket);
    this.#addresses.set(socket, address);
  }

  #busiestAddress(): string {
    const counts = new Map<string, number>();
    let busiest = '';
    for (const address of this.#addresses.values()) {
      const count = (counts.get(address) ?? 0) + 1;
      counts.set(address, count);
      if (count > (counts.get(busiest) ?? 0)) busiest = address;
    }
    return busiest;
  }

  #oldestOf(wanted: string): Socket | undefined {
    for (const [socket, address] of this.#addresses) if (address === wanted) return socket;
    return undefined;
  }
}
