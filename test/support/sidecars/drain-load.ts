import { AGREED_MESS, type Mailbox, type SpreadError, SpreadSidecar } from 'spread-sidecar-client';
import { Session } from '../../../server/src/spread/session.js';
import type { Message } from '../../../server/src/spread/wire/index.js';
import { until } from '../until.js';

export interface DrainLoadOptions {
  /** The target of the sidecar. */
  readonly target: string;
  /** The daemon, to which the observer connects directly. */
  readonly daemon: string;
  /** Number of senders with unary calls, eight at a time, and with MulticastStream. */
  readonly unarySenders: number;
  readonly streamSenders: number;
  readonly receivers: number;
  /** Size of a message, at least 8. Unit: bytes. */
  readonly payloadBytes: number;
  /** Maximum number of messages of a sender that a receiver may lag behind. */
  readonly window: number;
}

/** The results for sent messages and receivers. */
export interface DrainVerdict {
  /** Number of messages with a successful response. */
  readonly accepted: number;
  /** Number of messages that the sidecar reported as not sent. */
  readonly notSent: number;
  /** Number of messages that the sidecar reported with an unknown outcome. */
  readonly unknown: number;
  /** The reasons that ended senders and receivers, each once. */
  readonly reasons: readonly string[];
  /** Broken guarantees, one sentence each. */
  readonly problems: readonly string[];
}

/** `untold`: a failed send without an outcome, which is an error. */
type Outcome = 'accepted' | 'not-sent' | 'unknown' | 'untold';

/** How often the observer may have a message with this outcome. */
const FITS: Readonly<Record<Outcome, (times: number) => boolean>> = {
  accepted: (times) => times === 1,
  'not-sent': (times) => times === 0,
  unknown: (times) => times <= 1,
  untold: () => false,
};

const CALLS = 8;

/**
 * Senders and receivers at full load on one sidecar, and an observer at the daemon itself. The observer
 * decides whether a message was sent. The sidecar may stop at any time; finish() then reports broken
 * guarantees.
 */
export class DrainLoad {
  readonly #options: DrainLoadOptions;
  readonly #sidecars: SpreadSidecar[] = [];
  readonly #senders: LoadSender[] = [];
  readonly #receivers: LoadReceiver[] = [];
  readonly #observer: Observer;
  readonly #progress = new Progress();

  private constructor(options: DrainLoadOptions, observer: Observer) {
    this.#options = options;
    this.#observer = observer;
  }

  /** Resolves when all senders are active. */
  static async start(options: DrainLoadOptions): Promise<DrainLoad> {
    const load = new DrainLoad(options, await Observer.start(options.daemon));
    const { receivers, unarySenders, streamSenders } = options;
    for (let i = 0; i < receivers; i += 1) {
      const mailbox = await load.#open({ autoReceive: true });
      await mailbox.join('load', { awaitView: true });
      load.#receivers.push(new LoadReceiver(mailbox, unarySenders + streamSenders, load.#progress));
    }
    for (let i = 0; i < unarySenders + streamSenders; i += 1) {
      const mailbox = await load.#open({});
      // When the observer sees this member leave, it has received all of its messages.
      await mailbox.join('senders', { awaitView: true });
      const kind = i < unarySenders ? 'unary' : 'stream';
      load.#senders.push(new LoadSender(i, kind, mailbox, options, () => load.#slowest(i), load.#progress));
    }
    return load;
  }

  /** Number of messages that the observer received. */
  get observed(): number {
    return this.#observer.count;
  }

  /** Number of queued events of all receivers in the sidecar. */
  async backlog(): Promise<number> {
    const counts = await Promise.all(this.#receivers.map(({ mailbox }) => mailbox.poll()));
    return counts.reduce((sum, { waitingEvents, bufferedEvents }) => sum + waitingEvents + bufferedEvents, 0);
  }

  /** Call it after the sidecar has stopped. */
  async finish(): Promise<DrainVerdict> {
    const problems: string[] = [];
    const reasons = new Set<string>();
    const counts = { accepted: 0, 'not-sent': 0, unknown: 0, untold: 0 };
    await Promise.all(this.#senders.map((sender) => sender.done));
    await Promise.all(this.#receivers.map((receiver) => receiver.done));
    await until(() => this.#observer.isAlone, {
      timeoutMs: 10_000,
      what: 'the senders have left the daemon',
    });
    for (const receiver of this.#receivers) {
      reasons.add(receiver.end?.reason ?? 'none');
      problems.push(...receiver.problems());
    }
    for (const sender of this.#senders) {
      for (const reason of sender.reasons) reasons.add(reason);
      for (const [number, outcome] of sender.outcomes) {
        counts[outcome] += 1;
        const times = this.#observer.timesOf(sender.index, number);
        if (!FITS[outcome](times))
          problems.push(`${sender.name} ${number}: ${outcome}, and delivered ${times} times`);
      }
      if (sender.outcomes.size !== sender.begun)
        problems.push(`${sender.name}: ${sender.begun} messages and ${sender.outcomes.size} outcomes`);
    }
    const { accepted, 'not-sent': notSent, unknown } = counts;
    return { accepted, notSent, unknown, reasons: [...reasons].toSorted(), problems };
  }

  /** Closes all remaining connections. */
  async close(): Promise<void> {
    for (const sender of this.#senders) sender.stop();
    await Promise.all(
      this.#sidecars.map((sidecar) => sidecar.close({ keepMailboxes: true }).catch(() => {})),
    );
    this.#observer.close();
  }

  async #open(options: { autoReceive?: boolean }): Promise<Mailbox> {
    const sidecar = new SpreadSidecar({ target: this.#options.target });
    this.#sidecars.push(sidecar);
    return sidecar.connect({ ...options, heartbeatIntervalMs: 0 });
  }

  /** The position of the slowest receiver for this sender. Receivers that have ended do not count. */
  #slowest(sender: number): number {
    return Math.min(
      ...this.#receivers.map(({ end, counts }) =>
        end === undefined ? counts[sender]! : Number.POSITIVE_INFINITY,
      ),
    );
  }
}

/** Wakes the senders when receivers make progress or end. */
class Progress {
  #waiting: (() => void)[] = [];

  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  made(): void {
    for (const resolve of this.#waiting.splice(0)) setImmediate(resolve);
  }
}

class LoadSender {
  /** Number of started messages, which are numbered from 0. */
  begun = 0;
  readonly outcomes = new Map<number, Outcome>();
  readonly reasons = new Set<string>();
  readonly done: Promise<void>;
  #stopped = false;

  constructor(
    readonly index: number,
    readonly kind: 'unary' | 'stream',
    private readonly mailbox: Mailbox,
    private readonly options: DrainLoadOptions,
    private readonly received: () => number,
    private readonly progress: Progress,
  ) {
    const loops = kind === 'unary' ? Array.from({ length: CALLS }, () => this.#call()) : [this.#stream()];
    this.done = Promise.all(loops).then(() => {});
  }

  get name(): string {
    return `sender ${this.index} (${this.kind})`;
  }

  stop(): void {
    this.#stopped = true;
  }

  async #call(): Promise<void> {
    while (!this.#stopped) {
      await this.#room();
      const number = this.begun++;
      try {
        await this.mailbox.multicast(AGREED_MESS, 'load', this.#payload(number));
        this.outcomes.set(number, 'accepted');
      } catch (error) {
        this.#fail(error as SpreadError);
        this.outcomes.set(number, (error as SpreadError).outcome ?? 'untold');
      }
    }
  }

  async #stream(): Promise<void> {
    const sender = this.mailbox.sender();
    try {
      while (!this.#stopped) {
        await this.#room();
        const number = this.begun++;
        await sender.send(AGREED_MESS, 'load', this.#payload(number));
      }
      await sender.close();
    } catch (error) {
      this.#fail(error as SpreadError);
      const outcome = (error as SpreadError).outcome ?? 'untold';
      for (let i = sender.progress.accepted; i < this.begun; i += 1) this.outcomes.set(i, outcome);
    }
    for (let i = 0; i < sender.progress.accepted; i += 1) this.outcomes.set(i, 'accepted');
  }

  #fail(error: SpreadError): void {
    this.#stopped = true;
    this.reasons.add(error.reason || error.statusName);
  }

  async #room(): Promise<void> {
    while (!this.#stopped && this.begun - this.received() >= this.options.window) await this.progress.next();
  }

  #payload(number: number): Buffer {
    const payload = Buffer.alloc(this.options.payloadBytes);
    payload.writeUInt32BE(this.index, 0);
    payload.writeUInt32BE(number, 4);
    return payload;
  }
}

/** Receives as fast as possible. */
class LoadReceiver {
  /** Number of messages by sender. */
  readonly counts: number[];
  readonly done: Promise<void>;
  end: SpreadError | undefined;

  constructor(
    readonly mailbox: Mailbox,
    senders: number,
    private readonly progress: Progress,
  ) {
    this.counts = Array.from({ length: senders }, () => 0);
    this.done = this.#read();
  }

  problems(): string[] {
    const { end, mailbox } = this;
    const who = mailbox.privateGroup;
    if (end?.reason !== 'DRAINING')
      return [`${who} got, instead of DRAINING, ${end?.reason || end?.message}`];
    const last = end.metadata.last_sequence;
    return last === `${mailbox.lastSequence}` ? [] : [`${who} has ${mailbox.lastSequence} of ${last} events`];
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        const event = await this.mailbox.receive();
        if (event.kind === 'regular') this.counts[event.payload.readUInt32BE(0)]! += 1;
        this.progress.made();
      }
    } catch (error) {
      this.end = error as SpreadError;
    }
    this.progress.made();
  }
}

/** A session of the daemon that does not depend on a sidecar. */
class Observer {
  count = 0;
  readonly #times: Map<number, number>[] = [];
  #senders = 0;
  #ended = false;

  private constructor(private readonly session: Session) {
    session.start({
      onMessage: (message) => this.#onMessage(message),
      onClose: () => {
        this.#ended = true;
      },
    });
    session.join('load');
    session.join('senders');
  }

  static async start(address: string): Promise<Observer> {
    return new Observer(await Session.connect({ address, privateName: 'observer' }));
  }

  /** Whether all sending mailboxes have left, so that all of their messages have arrived. */
  get isAlone(): boolean {
    if (this.#ended) throw new Error('the daemon cut the observer');
    return this.#senders === 1;
  }

  timesOf(sender: number, number: number): number {
    return this.#times[sender]?.get(number) ?? 0;
  }

  close(): void {
    this.session.abort();
  }

  #onMessage(message: Message): void {
    if (message.kind === 'view' && message.group === 'senders') this.#senders = message.members.length;
    if (message.kind !== 'regular') return;
    this.count += 1;
    this.#times[message.payload.readUInt32BE(0)] ??= new Map();
    const times = this.#times[message.payload.readUInt32BE(0)]!;
    const number = message.payload.readUInt32BE(4);
    times.set(number, (times.get(number) ?? 0) + 1);
  }
}
