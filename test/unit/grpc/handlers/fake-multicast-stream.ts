import { EventEmitter } from 'node:events';
import { type MulticastMessage, type MulticastStreamResponse, ServiceType } from 'spread-sidecar-proto';
import { FailureTranslator } from '../../../../server/src/grpc/codec/failure.js';
import type { StatusError } from '../../../../server/src/grpc/codec/status.js';
import {
  type IncomingFrame,
  MulticastSession,
  type SendingMailbox,
} from '../../../../server/src/grpc/handlers/multicast-session.js';
import type { OutgoingMessage } from '../../../../server/src/mailbox/mailbox-types.js';
import { readStatusDetails } from '../../../support/sidecars/google-rpc.js';

/** A mailbox whose capacity and outcomes the test controls. */
class FakeMailbox implements SendingMailbox {
  readonly sent: OutgoingMessage[] = [];
  readonly #undecided: ((error?: Error) => void)[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #ends = new Set<(error: Error) => void>();
  holds = 0;
  /** The result of send. */
  hasRoom = true;
  /** Accepts every message before send returns. */
  takesAtOnce = false;
  /** Called before each send. Its error is the error of send. */
  beforeSend: (message: OutgoingMessage) => void = () => {};

  hold = () => {
    this.holds++;
    let held = true;
    return () => {
      if (held) this.holds--;
      held = false;
    };
  };

  send = (message: OutgoingMessage, onTaken: (error?: Error) => void): boolean => {
    this.beforeSend(message);
    this.sent.push(message);
    if (this.takesAtOnce) onTaken();
    else this.#undecided.push(onTaken);
    return this.hasRoom;
  };

  onSendRoom = (callback: () => void) => void this.#waiting.push(callback);

  onEnd = (callback: (error: Error) => void) => {
    this.#ends.add(callback);
    return () => void this.#ends.delete(callback);
  };

  get texts(): string[] {
    return this.sent.map(({ payload }) => payload.toString());
  }

  get endListeners(): number {
    return this.#ends.size;
  }

  get roomListeners(): number {
    return this.#waiting.length;
  }

  /** Accepts the next messages, as the daemon connection does. */
  take(count = this.#undecided.length): void {
    for (const onTaken of this.#undecided.splice(0, count)) onTaken();
  }

  /** Fails the next message. */
  failNext(error: Error): void {
    this.#undecided.shift()?.(error);
  }

  makeRoom(): void {
    this.hasRoom = true;
    for (const callback of this.#waiting.splice(0)) callback();
  }

  end(error: Error): void {
    for (const callback of [...this.#ends]) callback(error);
  }
}

/** A MulticastStream call, its mailbox, and the fair turns of the event loop, all controlled by the test. */
export class FakeMulticastStream {
  readonly mailbox = new FakeMailbox();
  readonly opened: string[] = [];
  readonly answers: MulticastStreamResponse[] = [];
  readonly errors: StatusError[] = [];
  readonly #emitter = new EventEmitter();
  /** The result of write. */
  isWritable = true;
  isEnded = false;
  /** Number of allowed frames. */
  reads = 0;
  /** Makes takeTurn wait for runTurn. */
  defersTurns = false;
  readonly turns: { work: () => void; expected: number }[] = [];
  readonly spentTurns: number[] = [];
  readonly spentMessages: number[] = [];
  /** The delay of the rate limit. Unit: ms. */
  waitMs = 0;
  /** Thrown when the mailbox is looked up. */
  openError: Error | undefined;
  readonly session: MulticastSession;

  constructor(maxBatchMessages = 10_000) {
    this.#emitter.on('error', (error: StatusError) => this.errors.push(error));
    const call = Object.assign(this.#emitter, {
      write: (answer: MulticastStreamResponse) => {
        this.answers.push(answer);
        return this.isWritable;
      },
      end: () => {
        this.isEnded = true;
      },
    });
    this.session = new MulticastSession(
      call as unknown as ConstructorParameters<typeof MulticastSession>[0],
      new FailureTranslator(() => {}),
      (mailboxId) => {
        this.opened.push(mailboxId);
        if (this.openError !== undefined) throw this.openError;
        return this.mailbox;
      },
      {
        allowRead: () => {
          this.reads++;
        },
        takeTurn: (work, expected) => {
          if (this.defersTurns) this.turns.push({ work, expected });
          else work();
        },
        spendTurn: (cost) => this.spentTurns.push(cost),
      },
      {
        headers: 'on',
        maxBatchMessages,
        spendMessages: (count) => {
          if (count > 0) this.spentMessages.push(count);
          return this.waitMs;
        },
      },
    );
  }

  /** A stream after its open frame and the response to it. */
  static open({ maxBatchMessages = 10_000, respondsOnRequest = false } = {}): FakeMulticastStream {
    const stream = new FakeMulticastStream(maxBatchMessages);
    stream.frame(openFrame('box', respondsOnRequest));
    return stream;
  }

  frame(frame: IncomingFrame): void {
    this.session.onFrame(frame);
  }

  batch(...messages: (string | MulticastMessage)[]): void {
    this.frame(batchFrame(messages));
  }

  batchWithRequest(...messages: (string | MulticastMessage)[]): void {
    this.frame(batchFrame(messages, true));
  }

  runTurn(): void {
    this.turns.shift()?.work();
  }

  /** Makes the transport writable. */
  drain(): void {
    this.isWritable = true;
    this.#emitter.emit('drain');
  }

  get lastAnswer(): MulticastStreamResponse | undefined {
    return this.answers.at(-1);
  }

  /** Decided and accepted of every response. */
  get counts(): [decided: number, accepted: number][] {
    return this.answers.map(({ decided, accepted }) => [Number(decided), Number(accepted)]);
  }

  /** The indexes of all rejected messages in responses, in order. */
  get refused(): number[] {
    return this.answers.flatMap(({ refusals }) => refusals.map(({ index }) => Number(index)));
  }

  /** The reasons of the call's statuses. */
  get reasons(): (string | undefined)[] {
    return this.errors.map(({ metadata }) => {
      const [details] = metadata.get('grpc-status-details-bin');
      return readStatusDetails(details as Buffer).info?.reason;
    });
  }
}

export const openFrame = (mailboxId: string | undefined, respondsOnRequest = false) =>
  ({ frame: { $case: 'open', value: { mailboxId, respondsOnRequest } } }) as unknown as IncomingFrame;

export const batchFrame = (messages: readonly (string | MulticastMessage)[], respond = false) =>
  ({
    frame: {
      $case: 'batch',
      value: { messages: messages.map((each) => (typeof each === 'string' ? message(each) : each)), respond },
    },
  }) as IncomingFrame;

export const message = (payload: string): MulticastMessage => ({
  serviceType: ServiceType.AGREED,
  groups: ['g'],
  payload: Buffer.from(payload),
  messageType: 0,
  selfDiscard: false,
  headers: new Map(),
});

/** A message that is rejected before it reaches the mailbox. */
export const badMessage = (): MulticastMessage => ({
  ...message('bad'),
  serviceType: ServiceType.UNSPECIFIED,
});

export const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
