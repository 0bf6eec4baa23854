import type { MailboxSession } from '../../../server/src/mailbox/connection/mailbox-session.js';
import type { OutgoingMessage } from '../../../server/src/mailbox/mailbox-types.js';
import type { OnTaken, SessionHandlers } from '../../../server/src/spread/session-options.js';
import { SpreadError } from '../../../server/src/spread/spread-error.js';
import type { Message } from '../../../server/src/spread/wire/index.js';

/**
 * A session without a daemon. A test controls the input and when bytes are accepted, and reads the output.
 */
export class FakeSession implements MailboxSession {
  readonly daemonVersion = { major: 5, minor: 0, patch: 1 };
  /** The requests, in order: `multicast <payload>`, `join <group>`, `leave <group>`, `goodbye`, `abort`. */
  readonly sent: string[] = [];
  /** Sends return false until drain(). */
  full = false;
  /** Bytes are accepted at once. */
  takesAtOnce = true;
  /** The daemon does not respond to the disconnect message. */
  silent = false;
  paused = false;
  pauses = 0;
  closed = false;
  bufferedBytes = 0;
  #handlers: SessionHandlers | undefined;
  #untaken: { bytes: number; onTaken: OnTaken | undefined }[] = [];
  #unread: { message: Message; atMs: number }[] = [];
  #farewells: (() => void)[] = [];

  constructor(readonly privateGroup = '#me#test') {}

  get started(): boolean {
    return this.#handlers !== undefined;
  }

  start(handlers: SessionHandlers): void {
    this.#handlers = handlers;
    if (this.closed) process.nextTick(() => handlers.onClose(gone()));
  }

  pause(): void {
    this.paused = true;
    this.pauses++;
  }

  resume(): void {
    this.paused = false;
    while (!this.paused && this.#unread.length > 0) {
      const { message, atMs } = this.#unread.shift()!;
      this.#handlers!.onMessage(message, atMs);
    }
  }

  multicast(message: OutgoingMessage, onTaken?: OnTaken): boolean {
    return this.#send(
      `multicast ${message.payload.toString('latin1')}`,
      80 + message.payload.length,
      onTaken,
    );
  }

  join(group: string, onTaken?: OnTaken): boolean {
    return this.#send(`join ${group}`, 80, onTaken);
  }

  leave(group: string, onTaken?: OnTaken): boolean {
    return this.#send(`leave ${group}`, 80, onTaken);
  }

  async disconnect(): Promise<void> {
    if (this.closed) return;
    this.sent.push('goodbye');
    this.paused = false;
    this.#unread = [];
    await new Promise<void>((resolve) => {
      this.#farewells.push(resolve);
      if (!this.silent) setImmediate(() => this.#close(undefined));
    });
  }

  abort(): void {
    if (this.closed) return;
    this.sent.push('abort');
    this.#close(undefined);
  }

  drop(): void {
    this.lose();
  }

  /** Delivers a message of the daemon. While the session is paused, it waits as in the kernel. */
  deliver(message: Message, atMs = 1_000): void {
    if (this.closed) return;
    if (this.paused) this.#unread.push({ message, atMs });
    else this.#handlers!.onMessage(message, atMs);
  }

  /** Delivers several messages of one read, also when the first of them pauses the session. */
  deliverChunk(messages: readonly Message[], atMs = 1_000): void {
    for (const message of messages) this.#handlers!.onMessage(message, atMs);
  }

  /** Accepts all bytes, as the kernel does. */
  drain(): void {
    this.full = false;
    for (const { bytes, onTaken } of this.#untaken.splice(0)) {
      this.bufferedBytes -= bytes;
      onTaken?.();
    }
    this.#handlers?.onDrain?.();
  }

  /** Ends the connection to the daemon. */
  lose(error = gone()): void {
    this.#close(error);
  }

  /** Ends the connection to the daemon before the session is started. */
  dieBeforeStart(): void {
    this.closed = true;
  }

  #send(what: string, bytes: number, onTaken: OnTaken | undefined): boolean {
    if (this.closed) throw new SpreadError('NET_ERROR_ON_SESSION', 'the connection was lost before');
    this.sent.push(what);
    if (this.takesAtOnce && !this.full) {
      if (onTaken) setImmediate(onTaken);
      return true;
    }
    this.bufferedBytes += bytes;
    this.#untaken.push({ bytes, onTaken });
    return !this.full;
  }

  #close(error: SpreadError | undefined): void {
    if (this.closed) return;
    this.closed = true;
    this.#handlers?.onClose(error);
    const reason = error ?? gone();
    for (const { onTaken } of this.#untaken.splice(0)) onTaken?.(reason);
    for (const resolve of this.#farewells.splice(0)) resolve();
  }
}

function gone(): SpreadError {
  return new SpreadError('CONNECTION_CLOSED', 'the connection to the daemon was closed');
}
