import type { Lease } from './lease.js';

/** A connection of a client, as its mailboxes see it. */
export interface ClientConnection {
  /**
   * Calls back once, when the connection is closed, or immediately when it is closed already.
   *
   * @param callback called with whether the client closed it, as the operating system does for a process that ends
   * @returns removes the callback
   */
  onClosed(callback: (byClient: boolean) => void): () => void;
}

/**
 * Time for a client that only reconnects. Other members wait this long for the end of a client that has died.
 * Unit: ms.
 */
const RECONNECT_MS = 500;

/**
 * Ties a mailbox to the connections of its client: when the client has closed all of them, the lease ends soon.
 */
export class ClientPresence {
  /** Removes the callback, for each open connection that has used the mailbox. */
  readonly #open = new Map<ClientConnection, () => void>();

  constructor(private readonly lease: Lease) {}

  /** A call of the mailbox used this connection. */
  usedBy(connection: ClientConnection): void {
    if (this.#open.has(connection)) return;
    this.#open.set(connection, () => {});
    const takeBack = connection.onClosed((byClient) => {
      this.#open.delete(connection);
      if (byClient && this.#open.size === 0) this.lease.endWithin(RECONNECT_MS);
    });
    if (this.#open.has(connection)) this.#open.set(connection, takeBack);
  }

  /** The mailbox has ended. */
  release(): void {
    for (const takeBack of this.#open.values()) takeBack();
    this.#open.clear();
  }
}
