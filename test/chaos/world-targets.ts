import type { Random } from './random.js';
import type { Target } from './target.js';

/** A process that can be killed and restarted. */
export interface Restartable {
  signal(signal: NodeJS.Signals): void;
  /** Resolves when it has ended. */
  kill(): Promise<void>;
  /** Resolves when it accepts connections. */
  start(): Promise<void>;
}

/** How long a process is stopped or paused. Unit: ms. */
export interface ProcessTimes {
  readonly away: readonly [least: number, most: number];
  readonly still: readonly [least: number, most: number];
}

/** A process that is killed (SIGKILL) and restarted, or paused (SIGSTOP) and resumed. */
export class ProcessTarget implements Target {
  readonly weights = { kill: 1, stop: 1 };
  readonly #process: Restartable;
  readonly #times: ProcessTimes;
  #killed = false;
  #stopped = false;

  constructor(
    readonly name: string,
    readonly affects: readonly string[],
    process: Restartable,
    times: ProcessTimes,
  ) {
    this.#process = process;
    this.#times = times;
  }

  /** False from just before it is killed until it accepts connections again. */
  get runs(): boolean {
    return !this.#killed;
  }

  async strike(fault: string, plan: Random, note: (detail: string) => void): Promise<number> {
    const { away, still } = this.#times;
    const ms = plan.int(...(fault === 'kill' ? away : still));
    note(`${ms} ms`);
    if (fault === 'kill') {
      this.#killed = true;
      await this.#process.kill();
    } else {
      this.#stopped = true;
      this.#process.signal('SIGSTOP');
    }
    return ms;
  }

  async heal(): Promise<void> {
    if (this.#stopped) this.#process.signal('SIGCONT');
    this.#stopped = false;
    if (this.#killed) await this.#process.start();
    this.#killed = false;
  }
}

/** A network of daemons that can be partitioned. */
export interface Divisible {
  readonly size: number;
  cut(i: number): void;
  heal(i: number): void;
}

/** The network between daemons. Each separated daemon is alone; the others stay together. */
export class NetworkTarget implements Target {
  readonly name = 'network';
  readonly weights = { partition: 1 };
  readonly #network: Divisible;
  #cut: number[] = [];

  constructor(network: Divisible) {
    this.#network = network;
  }

  async strike(_: string, plan: Random, note: (detail: string) => void): Promise<number> {
    const all = Array.from({ length: this.#network.size }, (_, i) => i + 1);
    this.#cut = plan.some(all, all.length - 1);
    // Some partitions are too short for the daemons to notice.
    const ms = plan.chance(0.2) ? plan.int(50, 500) : plan.int(1500, 6000);
    note(`daemons ${this.#cut.join(' and ')}, ${ms} ms`);
    for (const i of this.#cut) this.#network.cut(i);
    return ms;
  }

  async heal(): Promise<void> {
    for (const i of this.#cut) this.#network.heal(i);
    this.#cut = [];
  }
}
