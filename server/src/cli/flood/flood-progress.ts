import type { Output } from '../terminal/output.js';
import type { FloodPlan } from './flood-plan.js';
import type { FloodTally } from './flood-tally.js';

const BAR_MS = 100;
const LINE_MS = 1000;
const BAR_WIDTH = 30;

const rateText = (perSecond: number) => `${Math.round(perSecond).toLocaleString('en-US')} msg/s`;

/** Shows the progress of a flood until it is stopped: a bar on a terminal, otherwise a line per second. */
export class FloodProgress {
  readonly #output: Output;
  readonly #plan: FloodPlan;
  readonly #tally: FloodTally;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  #last = { at: performance.now(), count: 0 };

  constructor(output: Output, plan: FloodPlan, tally: FloodTally) {
    this.#output = output;
    this.#plan = plan;
    this.#tally = tally;
    this.#timer = setInterval(() => this.#show(), output.isTerminal ? BAR_MS : LINE_MS);
  }

  /** Removes the bar. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#output.isTerminal) await this.#output.write('\r\u001b[K');
  }

  #show(): void {
    const now = performance.now();
    const count = this.#plan.receivers > 0 ? this.#tally.received : this.#tally.sent;
    const rate = rateText(((count - this.#last.count) * 1000) / (now - this.#last.at));
    this.#last = { at: now, count };
    const done = this.#done(now, count);
    const percent = `${Math.floor(done * 100)} %`;
    if (!this.#output.isTerminal) {
      void this.#output.line(
        `${percent}: sent ${this.#tally.sent}, received ${this.#tally.received}, ${rate}`,
      );
      return;
    }
    const width = Math.max(10, Math.min(BAR_WIDTH, this.#output.columns - 40));
    const filled = Math.round(done * width);
    const bar = `${'#'.repeat(filled)}${'.'.repeat(width - filled)}`;
    void this.#output.write(`\r\u001b[K[${bar}] ${percent.padStart(5)} ${rate}`);
  }

  #done(now: number, count: number): number {
    const { durationMs, count: each, senders, receivers } = this.#plan;
    const byTime = durationMs === undefined ? 0 : (now - this.#startedAt) / durationMs;
    const all = each === undefined ? 0 : each * senders * Math.max(receivers, 1);
    return Math.min(Math.max(byTime, all === 0 ? 0 : count / all), 1);
  }
}
