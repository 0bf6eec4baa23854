import { median } from '../statistics.js';

/** Number of windows in a row whose values must agree. */
const STABLE_WINDOWS = 3;
/** Largest part by which the windows may differ from their median. */
const TOLERANCE = 0.05;

export interface WarmUpRule {
  /** Number of messages of a window. */
  readonly window: number;
  /** The warm-up ends after this number of windows in any case. */
  readonly maxWindows: number;
}

/** A window of a warm-up. */
export interface Window {
  /** The time of a message: the median round trip, or the inverse of the throughput. */
  readonly time: number;
  /** The processor time of a message. */
  readonly cpu: number;
}

/** Whether a warm-up may end: the last three windows agree in both values, or the warm-up is too long. */
export function isWarm(windows: readonly Window[], maxWindows: number): boolean {
  if (windows.length >= maxWindows) return true;
  const last = windows.slice(-STABLE_WINDOWS);
  if (last.length < STABLE_WINDOWS) return false;
  return agree(last.map(({ time }) => time)) && agree(last.map(({ cpu }) => cpu));
}

function agree(values: readonly number[]): boolean {
  const middle = median(values);
  return values.every((value) => Math.abs(value - middle) <= TOLERANCE * middle);
}

/** Clocks in seconds: elapsed time, and processor time of this process. */
export interface Clocks {
  now(): number;
  cpu(): number;
}

const CLOCKS: Clocks = {
  now: () => Number(process.hrtime.bigint()) / 1e9,
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  },
};

/** The warm-up of a role. The first window begins with the construction. */
export class WarmUp {
  readonly #windows: Window[] = [];
  readonly #rule: WarmUpRule;
  readonly #clocks: Clocks;
  #from: number;
  #cpuFrom: number;

  constructor(rule: WarmUpRule, clocks: Clocks = CLOCKS) {
    this.#rule = rule;
    this.#clocks = clocks;
    this.#from = clocks.now();
    this.#cpuFrom = clocks.cpu();
  }

  /** Number of messages in all windows. */
  get messages(): number {
    return this.#windows.length * this.#rule.window;
  }

  /**
   * Ends a window, and returns whether the warm-up ends with it.
   *
   * @param time - the time of a message. Default: the duration of the window, divided by its messages
   */
  endWindow(time?: number): boolean {
    const { window, maxWindows } = this.#rule;
    const [now, cpu] = [this.#clocks.now(), this.#clocks.cpu()];
    this.#windows.push({ time: time ?? (now - this.#from) / window, cpu: (cpu - this.#cpuFrom) / window });
    this.#from = now;
    this.#cpuFrom = cpu;
    return isWarm(this.#windows, maxWindows);
  }
}

export interface MeasuredOrder {
  readonly warmUp: WarmUpRule;
  /** Number of messages after the warm-up. */
  readonly count: number;
}

/** Counts messages: first those of the warm-up, then the measured ones. Further messages count no more. */
export class MeasuredCount {
  /** Resolves with the duration of the measured part in seconds. */
  readonly finished: Promise<number>;
  #finish: (seconds: number) => void = () => {};
  #warmUp: WarmUp | undefined;
  #isWarm = false;
  /** Number of messages of the current window, or of the measured part. */
  #counted = 0;
  #from = 0;

  /** @param onWarm - called when the measured part begins */
  constructor(
    private readonly order: MeasuredOrder,
    private readonly onWarm: () => void,
    private readonly clocks: Clocks = CLOCKS,
  ) {
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** Number of messages of the warm-up. */
  get warmUp(): number {
    return this.#warmUp?.messages ?? 0;
  }

  get isFinished(): boolean {
    return this.#isWarm && this.#counted >= this.order.count;
  }

  add(): void {
    const { warmUp, count } = this.order;
    // The clocks start with the first message.
    this.#warmUp ??= new WarmUp(warmUp, this.clocks);
    this.#counted += 1;
    if (this.#isWarm) {
      if (this.#counted === count) this.#finish(this.clocks.now() - this.#from);
    } else if (this.#counted === warmUp.window) {
      this.#counted = 0;
      if (!this.#warmUp.endWindow()) return;
      this.#isWarm = true;
      this.#from = this.clocks.now();
      this.onWarm();
    }
  }
}
