import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Watches the connections of an HTTP/1 server: which requests wait for their answer, and who makes none, or does not take
 * the answer, for too long. Node's own idle timer begins anew with each byte, also with the empty lines that are allowed
 * between requests.
 */
export class Http1Traffic {
  readonly #unanswered = new Set<ServerResponse>();
  readonly #patienceMs: number;
  /** Requests of a connection that are not answered. */
  readonly #busy = new WeakMap<Socket, number>();
  readonly #timers = new WeakMap<Socket, NodeJS.Timeout>();

  /** @param patienceMs how long a client may take to make a request, or to take its answer, milliseconds */
  constructor(server: Server, patienceMs: number) {
    this.#patienceMs = patienceMs;
    server.prependListener('request', (request, response) => this.#begin(request.socket, response));
  }

  /** A connection that the server is going to serve. */
  add(socket: Socket): void {
    this.#wait(socket);
    socket.once('close', () => clearTimeout(this.#timers.get(socket)));
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

  #begin(socket: Socket, response: ServerResponse): void {
    const before = this.#busy.get(socket) ?? 0;
    if (before === 0) this.#wait(socket);
    this.#unanswered.add(response);
    this.#busy.set(socket, before + 1);
    response.once('close', () => {
      this.#unanswered.delete(response);
      this.#busy.set(socket, this.#busy.get(socket)! - 1);
      this.#wait(socket);
    });
  }

  #wait(socket: Socket): void {
    clearTimeout(this.#timers.get(socket));
    if (socket.destroyed) return;
    this.#timers.set(
      socket,
      setTimeout(() => socket.destroy(), this.#patienceMs),
    );
  }
}
