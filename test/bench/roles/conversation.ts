import type { FromRole, RoleAnswer, ToRole } from './order.js';

/** The messages between a role and its driver, over the IPC channel of a child process. */
export class Conversation {
  readonly #received: ToRole[] = [];
  #waiting: (() => void)[] = [];
  #cpuAtGo = process.cpuUsage();
  #stopped = false;
  /** Called when the driver sends `stop`. */
  onStop: () => void = () => {};

  constructor() {
    process.on('message', (message) => {
      const order = message as ToRole;
      this.#received.push(order);
      if (order.say === 'stop') {
        this.#stopped = true;
        this.onStop();
      }
      for (const wake of this.#waiting.splice(0)) wake();
    });
    // Without a driver, nothing else would stop this role.
    process.once('disconnect', () => process.exit(0));
  }

  /** Whether the driver has sent `stop`. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Reports that all connections are open, and waits for `go`. */
  async readyAndGo(): Promise<void> {
    say({ say: 'ready' });
    await this.next('go');
    this.#cpuAtGo = process.cpuUsage();
  }

  async next<Say extends ToRole['say']>(what: Say): Promise<Extract<ToRole, { say: Say }>> {
    for (;;) {
      const at = this.#received.findIndex(({ say }) => say === what);
      if (at >= 0) return this.#received.splice(at, 1)[0] as Extract<ToRole, { say: Say }>;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Reports the end of the warm-up. */
  warm(): void {
    say({ say: 'warm' });
  }

  answer(seconds: number, samples?: readonly number[], warmUp?: number): void {
    const { user, system } = process.cpuUsage(this.#cpuAtGo);
    const answer: RoleAnswer = { seconds, cpuSeconds: (user + system) / 1e6, samples, warmUp };
    this.#cpuAtGo = process.cpuUsage();
    say({ say: 'answer', answer });
  }
}

export function say(message: FromRole): void {
  process.send?.(message);
}

/** Seconds of the machine's monotonic clock. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e9;
