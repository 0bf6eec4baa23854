import type { Lease } from './lease.js';

/** A connection of a client, as far as its mailboxes are concerned. */
export interface ClientConnection {
  /**
   * Calls back once, when the connection is closed; at once when it is closed already.
   *
   * @param callback called with whether the client closed it, as the operating system does for a process that ends
   * @returns takes the callback back
   */
  onClosed(callback: (byClient: boolean) => void): () => void;
}

/** For a client that only makes its connection again. Peers of one that has died wait for so long. Unit: ms. */
const RECONNECT_MS = 500;

/** Ties a mailbox to the connections of its client: when the client has closed all of them, the lease is nearly over. */
export class ClientPresence {
  /** What takes the callback back, for each connection that has used the mailbox and is open. */
  readonly #open = new Map<ClientConnection, () => void>();

  constructor(private readonly lease: Lease) {}

  /** A call of the mailbox came over this connection. */
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
