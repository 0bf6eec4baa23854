import {
  type Mailbox,
  type MailboxOptions,
  type ReconnectOptions,
  SpreadError,
  SpreadSidecar,
} from 'spread-sidecar-client';
import { until } from '../support/until.js';
import type { Goodbye, Seen } from './history.js';
import type { Random } from './random.js';
import type { RoundContext } from './round-context.js';
import { failureOf, seenByClient } from './seen.js';

/** Timeout of calls. Afterwards, the outcome is unknown. Unit: ms. */
const CALL_TIMEOUT_MS = 2000;

/** The receive options of a mailbox, which are random for each mailbox. */
export interface BoxOptions {
  readonly acknowledgement: 'AUTO' | 'EXPLICIT';
  readonly maxBufferedEvents: number;
  readonly maxOutstandingEvents: number;
  /** Whether and how it reconnects to its daemon. */
  readonly reconnect: ReconnectOptions | false;
}

export function drawBoxOptions(random: Random): BoxOptions {
  const acknowledgement = random.pick(['AUTO', 'EXPLICIT'] as const);
  const bounded = acknowledgement === 'EXPLICIT' && random.chance(0.5);
  return {
    acknowledgement,
    maxBufferedEvents: random.pick([8, 64, 4096]),
    maxOutstandingEvents: bounded ? random.int(2, 200) : 0,
    reconnect: random.chance(0.5) && {
      giveUpAfterMs: random.pick([200, 10_000]),
      onNameLoss: random.pick(['END', 'SUFFIX', 'DAEMON_MADE'] as const),
      queueMulticasts: random.chance(0.5),
    },
  };
}

/** A mailbox of an application. It always receives, and records everything in the history. */
export class Box {
  readonly name: string;
  readonly app: number;
  /** The groups that it joined and has not left, by its events. */
  readonly groups = new Set<string>();
  /** Whether it has received its end. */
  ended = false;

  readonly #context: RoundContext;
  readonly #options: BoxOptions;
  readonly #seen = new Set<string>();
  #sidecar: SpreadSidecar;
  #mailbox: Mailbox;
  #reader = 0;
  #reading: Promise<void>;
  #detaching = false;
  #napUntil = 0;
  #streams = 0;
  #messages = 0;

  /**
   * Opens a mailbox over the links of an application.
   *
   * @throws SpreadError
   */
  static async open(context: RoundContext, app: number, name: string, options: BoxOptions): Promise<Box> {
    const links = context.links[app]!;
    const sidecar = channel(context, links.app.port);
    try {
      const mailbox = await sidecar.connect({
        spreadName: `${links.daemon.port}@127.0.0.1`,
        privateName: name,
        acknowledgement: options.acknowledgement,
        leaseMs: context.leaseMs,
        reconnect: options.reconnect,
        ...receiving(options),
      });
      return new Box(context, app, name, options, sidecar, mailbox);
    } catch (error) {
      await sidecar.close();
      throw error;
    }
  }

  private constructor(
    context: RoundContext,
    app: number,
    name: string,
    options: BoxOptions,
    sidecar: SpreadSidecar,
    mailbox: Mailbox,
  ) {
    this.#context = context;
    this.#options = options;
    this.#sidecar = sidecar;
    this.#mailbox = mailbox;
    this.name = name;
    this.app = app;
    const { acknowledgement } = options;
    context.history.add({
      kind: 'connected',
      box: name,
      app,
      privateGroup: this.privateGroup,
      acknowledgement,
    });
    context.boxes.add(this);
    this.#reading = this.#read(mailbox);
  }

  /** The current mailbox of the client. */
  get mailbox(): Mailbox {
    return this.#mailbox;
  }

  /** Can change after a reconnection. */
  get privateGroup(): string {
    return this.#mailbox.privateGroup;
  }

  nextStream(): number {
    this.#streams += 1;
    return this.#streams;
  }

  /** An ID for its next message, unique in the round. */
  nextMessage(): string {
    this.#messages += 1;
    return `${this.name}:${this.#messages}`;
  }

  /** Whether it received this message. */
  saw(id: string): boolean {
    return this.#seen.has(id);
  }

  /** Pauses receiving, so that the queue in the sidecar grows. */
  nap(ms: number): void {
    this.#napUntil = performance.now() + ms;
  }

  /** Ends the mailbox and waits until its receiver has ended. */
  async goodbye(how: Goodbye): Promise<void> {
    this.#context.history.add({ kind: 'goodbye', box: this.name, how });
    this.#context.boxes.delete(this);
    try {
      if (how === 'abandon') this.#mailbox.detach();
      else
        await this.#mailbox.disconnect({ leaveGroupsFirst: how === 'leave-first', abort: how === 'abort' });
    } catch (error) {
      this.noteFailure('disconnect', error);
    }
    await this.#reading;
    await this.release();
  }

  /** Closes its channel after its end and after all of its calls. */
  async release(): Promise<void> {
    await this.#sidecar.close({ keepMailboxes: true });
  }

  /** Moves the mailbox to another process, which gets the result of detach and uses a new channel. */
  async handOver(): Promise<void> {
    this.#detaching = true;
    const { mailboxId, afterSequence } = this.#mailbox.detach();
    await this.#reading;
    await this.#sidecar.close({ keepMailboxes: true });
    this.#detaching = false;
    this.#reader += 1;
    const sidecar = channel(this.#context, this.#context.links[this.app]!.app.port);
    this.#sidecar = sidecar;
    // With EXPLICIT, the sidecar knows where to resume, and redelivers unacknowledged events.
    const from = this.#options.acknowledgement === 'AUTO' ? { afterSequence } : {};
    const deadline = performance.now() + this.#context.leaseMs * 2;
    for (;;) {
      try {
        this.#mailbox = await sidecar.attach(mailboxId, { ...from, ...receiving(this.#options) });
        break;
      } catch (error) {
        this.noteFailure('attach', error);
        const hopeless =
          !(error instanceof SpreadError) || error.reason !== '' || performance.now() > deadline;
        if (!hopeless) continue;
        this.#end(error);
        return;
      }
    }
    this.#reading = this.#read(this.#mailbox);
  }

  /** Resolves when it has received this message or has ended. False after the timeout. */
  async received(id: string, timeoutMs: number): Promise<boolean> {
    return until(() => this.saw(id) || this.ended, { timeoutMs }).catch(() => false);
  }

  /** Records the failure of a call other than a send. */
  noteFailure(call: string, error: unknown): void {
    const { name: box, app } = this;
    this.#context.history.add({ kind: 'failed', box, app, call, failure: failureOf(error) });
  }

  async #read(mailbox: Mailbox): Promise<void> {
    const { history } = this.#context;
    const { name: box } = this;
    const reader = this.#reader;
    mailbox.on('attached', ({ nextSequence }) =>
      history.add({ kind: 'attached', box, reader, next: Number(nextSequence) }),
    );
    try {
      for (;;) {
        const event = await mailbox.receive();
        const seen = seenByClient(event);
        history.add({ kind: 'event', box, reader, sequence: Number(event.sequence), event: seen });
        this.#follow(seen);
        if (performance.now() < this.#napUntil) await until(() => performance.now() >= this.#napUntil);
      }
    } catch (error) {
      if (!this.#detaching) this.#end(error);
    }
  }

  #end(error: unknown): void {
    const { history, boxes } = this.#context;
    this.ended = true;
    // A mailbox that its application has ended fails with ILLEGAL_SESSION, which is expected.
    const wasDisconnected =
      !boxes.has(this) && error instanceof SpreadError && error.reason === 'ILLEGAL_SESSION';
    const failure = wasDisconnected ? undefined : failureOf(error);
    history.add({ kind: 'ended', box: this.name, reader: this.#reader, ...(failure && { failure }) });
    boxes.delete(this);
  }

  #follow(seen: Seen): void {
    if (seen.is === 'message' && seen.id !== undefined) this.#seen.add(seen.id);
    if (seen.is === 'view') this.groups.add(seen.group);
    if (seen.is === 'selfLeave') this.groups.delete(seen.group);
    if (seen.is === 'lost') this.groups.clear();
  }
}

function channel({ keepAliveMs }: RoundContext, port: number): SpreadSidecar {
  return new SpreadSidecar({
    target: `127.0.0.1:${port}`,
    callTimeoutMs: CALL_TIMEOUT_MS,
    connectionKeepAliveMs: keepAliveMs,
  });
}

function receiving(options: BoxOptions): MailboxOptions {
  const { maxBufferedEvents, maxOutstandingEvents } = options;
  return { autoReceive: true, heartbeatIntervalMs: 200, maxBufferedEvents, maxOutstandingEvents };
}
