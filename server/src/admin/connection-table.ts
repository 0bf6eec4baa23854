import type { Socket } from 'node:net';

/** Interval between two connections that close because the table holds more than its soft bound. Unit: ms. */
const EVICTION_MS = 2;

export interface ConnectionBounds {
  /** Most connections. With one more, the oldest connection closes immediately. */
  readonly hard: number;
  /** Connections that may stay. When there are more, the table closes the oldest connections one after the other. Default: `hard`. */
  readonly soft?: number;
}

/**
 * The connections of a port, up to a bound. When there are too many, the address that has the most of them loses its oldest
 * connection. So connections that stay open can't keep a probe from another address, or a new probe, out.
 *
 * Between the soft and the hard bound, connections close at a limited rate. A client that immediately reconnects would otherwise
 * keep the queue of the listening socket full, and a probe would wait behind all connections in that queue.
 */
export class ConnectionTable {
  /** In the order in which they were last used. */
  readonly #addresses = new Map<Socket, string>();
  /** Number of connections of each address. */
  readonly #counts = new Map<string, number>();
  readonly #soft: number;
  readonly #hard: number;
  #eviction: NodeJS.Timeout | undefined;

  /** @param onEvicted - called with the address of each connection that is destroyed for another one */
  constructor(
    { hard, soft = hard }: ConnectionBounds,
    private readonly onEvicted: (address: string) => void = () => {},
  ) {
    this.#soft = soft;
    this.#hard = hard;
  }

  get size(): number {
    return this.#addresses.size;
  }

  /** Adds a connection until it closes. */
  add(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    this.#addresses.set(socket, address);
    this.#counts.set(address, (this.#counts.get(address) ?? 0) + 1);
    socket.once('close', () => this.#delete(socket));
    if (this.#addresses.size > this.#hard) this.#evictOne();
    this.#scheduleEviction();
  }

  /** The connection has done something; others come before it when one has to go. */
  used(socket: Socket): void {
    const address = this.#addresses.get(socket);
    if (address === undefined) return;
    this.#addresses.delete(socket);
    this.#addresses.set(socket, address);
  }

  #scheduleEviction(): void {
    if (this.#addresses.size <= this.#soft || this.#eviction !== undefined) return;
    this.#eviction = setTimeout(() => {
      this.#eviction = undefined;
      if (this.#addresses.size > this.#soft) this.#evictOne();
      this.#scheduleEviction();
    }, EVICTION_MS);
    this.#eviction.unref();
  }

  #evictOne(): void {
    const address = this.#busiestAddress();
    const victim = this.#oldestOf(address);
    if (victim === undefined) return;
    this.onEvicted(address);
    this.#delete(victim);
    victim.destroy();
  }

  #delete(socket: Socket): void {
    const address = this.#addresses.get(socket);
    if (address === undefined) return;
    this.#addresses.delete(socket);
    const left = (this.#counts.get(address) ?? 0) - 1;
    if (left > 0) this.#counts.set(address, left);
    else this.#counts.delete(address);
  }

  #busiestAddress(): string {
    let busiest = '';
    for (const [address, count] of this.#counts)
      if (count > (this.#counts.get(busiest) ?? 0)) busiest = address;
    return busiest;
  }

  #oldestOf(wanted: string): Socket | undefined {
    for (const [socket, address] of this.#addresses) if (address === wanted) return socket;
    return undefined;
  }
}
