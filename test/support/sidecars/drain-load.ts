import { AGREED_MESS, type Mailbox, type SpreadError, SpreadSidecar } from 'spread-sidecar-client';
import { Session } from '../../../server/src/spread/session.js';
import type { Message } from '../../../server/src/spread/wire/index.js';
import { until } from '../until.js';

export interface DrainLoadOptions {
  /** Of the sidecar. */
  readonly target: string;
  /** Of the daemon, where the observer goes to by itself. */
  readonly daemon: string;
  /** How many send by unary calls, eight at a time, and how many by MulticastStream. */
  readonly unarySenders: number;
  readonly streamSenders: number;
  readonly receivers: number;
  /** Bytes of a message, 8 or more. */
  readonly payloadBytes: number;
  /** Most messages of a sender that a receiver may not have yet. */
  readonly window: number;
}

/** What became of what was sent, and of who received. */
export interface DrainVerdict {
  /** Messages answered with success, before the observer had its say. */
  readonly accepted: number;
  /** Messages whose senders were told that they were not sent. */
  readonly notSent: number;
  /** Messages whose senders were told that nobody knows. */
  readonly unknown: number;
  /** How the senders and receivers were ended: reasons, each once. */
  readonly reasons: readonly string[];
  /** Broken promises, a sentence each. */
  readonly problems: readonly string[];
}

/** `untold`: a send that failed has to say what became of it. */
type Outcome = 'accepted' | 'not-sent' | 'unknown' | 'untold';

/** How often the observer may have a message that ended so. */
const FITS: Readonly<Record<Outcome, (times: number) => boolean>> = {
  accepted: (times) => times === 1,
  'not-sent': (times) => times === 0,
  unknown: (times) => times <= 1,
  untold: () => false,
};

const CALLS = 8;

/**
 * Senders and receivers at full load on one sidecar, and an observer at the daemon itself, in whose eyes a message exists.
 * The sidecar may be stopped at any time; finish() then says which of its promises it broke.
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

  /** Resolves when everybody is there and sends. */
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
      // The observer sees it go, and so knows that it has all of its messages.
      await mailbox.join('senders', { awaitView: true });
      const kind = i < unarySenders ? 'unary' : 'stream';
      load.#senders.push(new LoadSender(i, kind, mailbox, options, () => load.#slowest(i), load.#progress));
    }
    return load;
  }

  /** Messages that have reached the observer. */
  get observed(): number {
    return this.#observer.count;
  }

  /** Events that wait in the sidecar for the receivers, all together. */
  async backlog(): Promise<number> {
    const counts = await Promise.all(this.#receivers.map(({ mailbox }) => mailbox.poll()));
    return counts.reduce((sum, { waitingEvents, bufferedEvents }) => sum + waitingEvents + bufferedEvents, 0);
  }

  /** To be called when the sidecar has stopped. */
  async finish(): Promise<DrainVerdict> {
    const problems: string[] = [];
    const reasons = new Set<string>();
    const counts = { accepted: 0, 'not-sent': 0, unknown: 0, untold: 0 };
    await Promise.all(this.#senders.map((sender) => sender.done));
    await Promise.all(this.#receivers.map((receiver) => receiver.done));
    await until(() => this.#observer.isAlone, {
      timeoutMs: 10_000,
      what: 'the senders are gone at the daemon',
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

  /** Gives up whatever is still there. */
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

  /** How many messages of this sender the slowest receiver has; those that have ended are not waited for. */
  #slowest(sender: number): number {
    return Math.min(
      ...this.#receivers.map(({ end, counts }) =>
        end === undefined ? counts[sender]! : Number.POSITIVE_INFINITY,
      ),
    );
  }
}

/** Wakes the senders when receivers have got on, or have come to their end. */
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
  /** Messages begun; they are numbered from 0. */
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

/** Reads as fast as it can. */
class LoadReceiver {
  /** Messages by sender. */
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
      return [`${who} was not told DRAINING but ${end?.reason || end?.message}`];
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

/** A session at the daemon, which no sidecar can touch. */
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

  /** No mailbox that sent is there any more, so everything that they sent has come. */
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
