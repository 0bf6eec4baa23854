import { setTimeout as delay } from 'node:timers/promises';
import { TemporaryFailure } from '../admin/admin-client.js';
import { CommandFailure } from '../command-failure.js';
import type { CommandContext } from '../context.js';
import { ExitCode } from '../exit-codes.js';
import { Interruption } from '../terminal/interruption.js';
import type { RowsQuery, Sample } from './sample.js';
import { Screen } from './screen.js';
import { rowsOf, screenLines } from './view.js';
import { applyKey, type Key, type ViewState } from './view-state.js';

/** The settings of a live view. */
export interface LiveOptions {
  /** The address of the admin port, for the header. */
  readonly target: string;
  /** Unit: ms. */
  readonly intervalMs: number;
  /** Number of refreshes after which the view ends. */
  readonly count: number;
  /** Time to retry after a lost connection. Unit: ms. */
  readonly retryMs: number;
  /** Maximum number of rows. Undefined: as many as the screen shows. */
  readonly limit: number | undefined;
}

/** Reads a sample. @param signal - stops the request */
export type ReadSample = (query: RowsQuery, signal: AbortSignal) => Promise<Sample>;

/** A table on the whole terminal, which refreshes itself and reacts to keys. */
export class LiveView {
  readonly #context: CommandContext;
  readonly #read: ReadSample;
  readonly #options: LiveOptions;
  readonly #screen: Screen;
  readonly #quit = new AbortController();
  readonly #signal: AbortSignal;
  #state: ViewState;
  #sample: Sample;
  #problem: string | undefined;
  /** Ends the wait for the next refresh. */
  #wake = new AbortController();

  private constructor(
    context: CommandContext,
    read: ReadSample,
    options: LiveOptions,
    state: ViewState,
    sample: Sample,
  ) {
    this.#context = context;
    this.#read = read;
    this.#options = options;
    this.#state = state;
    this.#sample = sample;
    this.#signal = AbortSignal.any([context.signal, this.#quit.signal]);
    this.#screen = new Screen(context, {
      key: (key) => this.#onKey(key),
      resize: () => this.#wake.abort(),
    });
  }

  /**
   * Shows the view until the user quits, the command is stopped, or `count` is reached.
   *
   * @throws CommandFailure when the first request fails, or the connection stays lost
   */
  static async run(
    context: CommandContext,
    read: ReadSample,
    options: LiveOptions,
    state: ViewState,
  ): Promise<void> {
    const { columns, rows } = context.stdout;
    const limit = options.limit ?? rowsOf({ columns, rows });
    // The terminal stays unchanged if the first request fails.
    const first = await read({ ...state, limit }, context.signal);
    const view = new LiveView(context, read, options, state, first);
    try {
      await view.#loop();
    } catch (error) {
      const signal = view.#signal;
      // A requested stop is a normal end.
      if (!(signal.aborted && signal.reason instanceof Interruption)) throw error;
    } finally {
      view.#screen.close();
    }
  }

  async #loop(): Promise<void> {
    await this.#draw();
    for (let shown = 1; shown < this.#options.count; ) {
      const isPeriodic = await this.#nextRefresh();
      await this.#refresh();
      await this.#draw();
      if (isPeriodic) shown++;
    }
  }

  /** Waits for the interval or for a key that needs other rows. @returns whether the interval is over */
  async #nextRefresh(): Promise<boolean> {
    const wake = this.#wake.signal;
    const signal = AbortSignal.any([this.#signal, wake]);
    try {
      do await delay(this.#options.intervalMs, undefined, { signal });
      while (this.#state.isPaused);
      return true;
    } catch {
      this.#signal.throwIfAborted();
      return false;
    }
  }

  /** Reads again. After a lost connection, retries and shows the problem meanwhile. */
  async #refresh(): Promise<void> {
    this.#wake = new AbortController();
    const { intervalMs, retryMs } = this.#options;
    let end: number | undefined;
    for (;;) {
      try {
        this.#sample = await this.#readRows();
        this.#problem = undefined;
        return;
      } catch (error) {
        this.#signal.throwIfAborted();
        if (!(error instanceof TemporaryFailure)) throw error;
        end ??= performance.now() + retryMs;
        if (performance.now() >= end)
          throw new CommandFailure(
            `could not reconnect to the sidecar: ${error.message}`,
            ExitCode.endedEarly,
            error,
          );
        this.#problem = `connection to the sidecar lost, retrying: ${error.message}`;
        await this.#draw();
        await delay(Math.min(intervalMs, 500), undefined, { signal: this.#signal });
      }
    }
  }

  async #readRows(): Promise<Sample> {
    const limit = this.#limit;
    const sample = await this.#read({ ...this.#state, limit }, this.#signal);
    const total = Number(sample.page.total);
    if (this.#state.offset === 0 || this.#state.offset < total) return sample;
    // Mailboxes have ended, and no row is left at this offset.
    this.#state = { ...this.#state, offset: Math.max(0, total - limit) };
    return this.#read({ ...this.#state, limit }, this.#signal);
  }

  get #limit(): number {
    return Math.min(this.#options.limit ?? 1000, rowsOf(this.#screen.size), 1000);
  }

  #onKey(key: Key): void {
    const [state, effect] = applyKey(this.#state, key, this.#limit, Number(this.#sample.page.total));
    this.#state = state;
    // In raw mode, Ctrl-C is a key and no signal. Like a signal, the second one ends the process immediately.
    if (effect === 'interrupt' && this.#signal.aborted) process.exit(ExitCode.ok);
    if (effect === 'quit' || effect === 'interrupt')
      this.#quit.abort(new Interruption('SIGINT', ExitCode.ok));
    if (effect === 'refresh') this.#wake.abort();
    if (effect === 'redraw' || effect === 'refresh') void this.#draw();
  }

  #draw(): Promise<void> {
    const { size } = this.#screen;
    const { colors } = this.#context.stdout;
    const { target } = this.#options;
    return this.#screen.draw(screenLines(this.#sample, this.#state, target, this.#problem, size, colors));
  }
}
