/** Time from the end of a refresh to the next one. Unit: ms. */
const REFRESH_MS = 2000;

/** Loads one part of the page and shows it. */
export type Task = (signal: AbortSignal) => Promise<void>;

/** What runs the tasks repeatedly, and what the clock is. Tests replace them. */
interface RefresherOptions {
  /** Called after each refresh: with the error of the task that failed, or undefined. */
  readonly onRefreshed: (error: unknown) => void;
  readonly intervalMs?: number;
}

/**
 * Runs the tasks of the visible parts, one request at a time, and repeats them after an interval. It stops while the page
 * is paused, hidden or locked.
 */
export class Refresher {
  readonly #tasks: Task[] = [];
  /** Why no refresh follows. */
  readonly #stops = new Set<'paused' | 'hidden' | 'locked'>();
  #running: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isScheduled = false;

  constructor(private readonly options: RefresherOptions) {}

  /** Adds a task and runs it, before the other tasks and even if the page is paused. @returns removes the task */
  add(task: Task): () => void {
    this.#tasks.unshift(task);
    this.refresh();
    return () => {
      this.#tasks.splice(this.#tasks.indexOf(task), 1);
    };
  }

  /** Refreshes as soon as the current turn of the event loop ends, unless the page is locked. */
  refresh(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      void this.#run();
    });
  }

  stop(reason: 'paused' | 'hidden' | 'locked'): void {
    this.#stops.add(reason);
    clearTimeout(this.#timer);
    if (reason === 'locked') this.#running?.abort();
  }

  /** Ends a stop and refreshes. */
  resume(reason: 'paused' | 'hidden' | 'locked'): void {
    if (this.#stops.delete(reason) && this.#stops.size === 0) this.refresh();
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    this.#running?.abort();
    if (this.#stops.has('locked')) return;
    const running = new AbortController();
    this.#running = running;
    let failure: unknown;
    try {
      for (const task of [...this.#tasks]) await task(running.signal);
    } catch (error) {
      failure = error ?? new Error('unknown');
    }
    // A later refresh replaced this one.
    if (running.signal.aborted) return;
    this.options.onRefreshed(failure);
    if (this.#stops.size === 0)
      this.#timer = setTimeout(() => void this.#run(), this.options.intervalMs ?? REFRESH_MS);
  }
}
