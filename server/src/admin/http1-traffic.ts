import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { GatedConnection } from './gated-connection.js';

/**
 * Watches the connections of an HTTP/1 server: which requests wait for their answer, and who makes none, or does not take
 * the answer, for too long. Node's own idle timer restarts with each byte, also with the empty lines that are allowed
 * between requests.
 */
export class Http1Traffic {
  readonly #unanswered = new Set<ServerResponse>();
  readonly #patienceMs: number;
  readonly #timers = new WeakMap<GatedConnection, NodeJS.Timeout>();

  /** @param patienceMs how long a client may take to make a request, or to take its answer, milliseconds */
  constructor(server: Server, patienceMs: number) {
    this.#patienceMs = patienceMs;
    server.prependListener('request', (request, response) => this.#begin(connectionOf(request), response));
  }

  /** A connection that the server is going to serve. */
  add(connection: GatedConnection): void {
    this.#wait(connection);
    connection.once('close', () => clearTimeout(this.#timers.get(connection)));
  }

  /** Resolves when every request of now is answered, or its client has gone; after `mostMs` milliseconds in any case. */
  async answered(mostMs: number): Promise<void> {
    const answers = [...this.#unanswered].map(
      (response) => new Promise((resolve) => response.once('close', resolve)),
    );
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise((resolve) => {
      timer = setTimeout(resolve, mostMs);
    });
    await Promise.race([Promise.all(answers), tooLong]);
    clearTimeout(timer);
  }

  #begin(connection: GatedConnection, response: ServerResponse): void {
    this.#wait(connection);
    this.#unanswered.add(response);
    connection.hold();
    response.once('close', () => {
      this.#unanswered.delete(response);
      this.#wait(connection);
      connection.release();
    });
  }

  #wait(connection: GatedConnection): void {
    clearTimeout(this.#timers.get(connection));
    if (connection.destroyed) return;
    this.#timers.set(
      connection,
      setTimeout(() => connection.destroy(), this.#patienceMs),
    );
  }
}

/** What the server was given as the connection of this request. */
function connectionOf(request: IncomingMessage): GatedConnection {
  return request.socket as unknown as GatedConnection;
}
