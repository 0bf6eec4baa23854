/**
 * Runs tasks in the order in which they came, a few in each turn of the event loop, so that other work of the process gets its
 * share however many tasks there are.
 */
export class Turns {
  readonly #tasks: (() => void)[] = [];
  #used = 0;
  #scheduled = false;

  /** @param perTurn - most tasks in one turn of the event loop */
  constructor(private readonly perTurn: number) {}

  /** Runs the task now, if this turn has room and no task waits; else in a later turn. */
  run(task: () => void): void {
    this.#tasks.push(task);
    if (this.#tasks.length === 1) this.#runSome();
    this.#schedule();
  }

  #runSome(): void {
    while (this.#used < this.perTurn) {
      const task = this.#tasks.shift();
      if (task === undefined) return;
      this.#used++;
      task();
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#used = 0;
      this.#runSome();
      if (this.#used > 0) this.#schedule();
    });
  }
}
