import { connect, createServer, type Server, type Socket } from 'node:net';

const BYTES = 4;

/** The sender's side of the window: the number of messages that its receivers have confirmed. */
export class CreditReader {
  confirmed = 0;
  #room: (() => void) | undefined;
  #rest: Buffer = Buffer.alloc(0);
  #socket: Socket | undefined;

  async open(path: string): Promise<void> {
    const socket = connect(path);
    this.#socket = socket;
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    socket.on('data', (chunk) => this.push(chunk));
  }

  /** Each number replaces the one before, so only the last complete number counts. */
  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const whole = Math.floor(bytes.length / BYTES) * BYTES;
    if (whole > 0) this.confirmed = bytes.readUInt32LE(whole - BYTES);
    this.#rest = bytes.subarray(whole);
    this.release();
  }

  /** Resolves the pending more(). */
  release(): void {
    const room = this.#room;
    this.#room = undefined;
    room?.();
  }

  /** Resolves when the receivers confirm more messages, or on release(). */
  more(): Promise<void> {
    return new Promise((resolve) => {
      this.#room = resolve;
    });
  }

  close(): void {
    this.#socket?.destroy();
  }
}

/** The receivers' side of the window. */
export class CreditWriter {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async open(path: string): Promise<CreditWriter> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    return new CreditWriter(server);
  }

  confirm(count: number): void {
    const bytes = Buffer.alloc(BYTES);
    bytes.writeUInt32LE(count);
    for (const socket of this.#sockets) socket.write(bytes);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

/** Counts the messages of several connections, and reports the count that the slowest connection has reached. */
export class SlowestCount {
  readonly #counts: number[];
  readonly #reached: number[] = [];

  constructor(
    connections: number,
    private readonly step: number,
  ) {
    this.#counts = new Array<number>(connections).fill(0);
  }

  /**
   * Counts one message of `connection`. Returns the count that all connections have, whenever it reaches a
   * multiple of `step`.
   */
  add(connection: number): number | undefined {
    const count = (this.#counts[connection] ?? 0) + 1;
    this.#counts[connection] = count;
    if (count % this.step !== 0) return undefined;
    const level = count / this.step;
    const reached = (this.#reached[level] ?? 0) + 1;
    this.#reached[level] = reached;
    return reached === this.#counts.length ? count : undefined;
  }
}
