import { SpreadError } from 'spread-sidecar-client';
import { until } from '../support/until.js';
import { Box, drawBoxOptions } from './box.js';
import { pause } from './fault-schedule.js';
import type { Goodbye, Sent, Service } from './history.js';
import type { Random } from './random.js';
import type { RoundContext } from './round-context.js';
import { failureOf } from './seen.js';
import { sendPrivately, sendSingly, sendStreamed, sendWrong } from './sending.js';

/** The actions of an application, and their weights. */
const ACTIONS = {
  stream: 40,
  singly: 12,
  'at once': 8,
  private: 6,
  wrong: 3,
  join: 14,
  leave: 8,
  nap: 6,
  'hand over': 3,
  goodbye: 3,
} as const;

/**
 * Maximum wait of senders for the observer after each action, so that none is disconnected as slow without a
 * fault. Unit: ms.
 */
const PACE_MS = 250;

/**
 * An application that opens a mailbox, executes random actions, and opens another one after the end of the
 * mailbox.
 */
export class App {
  readonly #context: RoundContext;
  readonly #index: number;
  readonly #random: Random;
  #opened = 0;

  constructor(context: RoundContext, index: number, random: Random) {
    this.#context = context;
    this.#index = index;
    this.#random = random;
  }

  /** Resolves after the end of the round, when the last action is done. */
  async run(): Promise<void> {
    const { over } = this.#context;
    let box: Box | undefined;
    while (!over.aborted) {
      if (box && this.#context.boxes.has(box)) await this.#act(box);
      else {
        await box?.release();
        box = await this.#open();
      }
    }
    // Open mailboxes are settled together with the others.
    if (box?.ended) await box.release();
  }

  async #open(): Promise<Box | undefined> {
    const { round, groups, history, over } = this.#context;
    this.#opened += 1;
    const name = `${this.#index.toString(36)}r${round.toString(36)}n${this.#opened.toString(36)}`;
    try {
      const box = await Box.open(this.#context, this.#index, name, drawBoxOptions(this.#random));
      for (const group of this.#random.some(groups, groups.length)) await this.#join(box, group);
      return box;
    } catch (error) {
      history.add({
        kind: 'failed',
        box: name,
        app: this.#index,
        call: 'connect',
        failure: failureOf(error),
      });
      await pause(20, over);
      return undefined;
    }
  }

  async #act(box: Box): Promise<void> {
    const random = this.#random;
    const context = this.#context;
    switch (random.weighted<keyof typeof ACTIONS>(ACTIONS)) {
      case 'stream':
        return this.#paced(box, await sendStreamed(context, box, random, random.int(1, 80)));
      case 'singly':
        return this.#paced(box, await sendSingly(context, box, random, random.int(1, 10), false));
      case 'at once':
        return this.#paced(box, await sendSingly(context, box, random, random.int(2, 12), true));
      case 'private': {
        const service = random.pick<Service>(['RELIABLE', 'FIFO', 'AGREED', 'SAFE']);
        await sendPrivately(context, box, random.pick([...context.boxes]), service);
        return;
      }
      case 'wrong':
        return sendWrong(context, box, random);
      case 'join':
        return this.#join(box, random.pick(context.groups));
      case 'leave':
        return this.#leave(box, random.pick(context.groups));
      case 'nap':
        return box.nap(random.int(20, 200));
      case 'hand over':
        return box.handOver();
      case 'goodbye':
        return box.goodbye(random.weighted<Goodbye>({ clean: 3, 'leave-first': 3, abort: 2, abandon: 1 }));
    }
  }

  async #join(box: Box, group: string): Promise<void> {
    this.#context.history.add({ kind: 'asked', box: box.name, what: 'join', group });
    await this.#call(box, 'join', () => box.mailbox.join(group, { awaitView: this.#random.chance(0.7) }));
  }

  async #leave(box: Box, group: string): Promise<void> {
    this.#context.history.add({ kind: 'asked', box: box.name, what: 'leave', group });
    await this.#call(box, 'leave', () => box.mailbox.leave(group, { awaitView: this.#random.chance(0.7) }));
  }

  async #call(box: Box, what: string, call: () => Promise<unknown>): Promise<void> {
    try {
      await call();
    } catch (error) {
      box.noteFailure(what, error);
      if (!(error instanceof SpreadError)) throw error;
    }
  }

  async #paced(box: Box, sent: readonly Sent[]): Promise<void> {
    const { observers, groups, links } = this.#context;
    const { site } = links[this.#index]!;
    const last = sent.findLast(
      (one) => one.refusal === undefined && one.groups.some((g) => groups.includes(g)),
    );
    if (last === undefined) return;
    // A missing message does not stop the sender, which may have been disconnected.
    await until(() => observers.saw(site, last.id) || box.ended, { timeoutMs: PACE_MS }).catch((error) => {
      if (!String(error).includes('not within')) throw error;
    });
  }
}
