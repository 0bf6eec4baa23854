type Task = () => void;

/** Work of one turn of the event loop. Unit: the work for one small unary call, about 60 µs. */
const TURN = 16;
/** Default of `burst`. */
const BURST = 16;

/** Head start of a new connection, because it is likely to need little. Unit: as TURN. */
const NEWCOMER_LEAD = 1;
/** Largest work that counts against a connection. Unit: as TURN. */
const MAX_DEBT = 1000;

/** A waiting task. */
interface Waiting {
  readonly task: Task;
  readonly expected: number;
  /** Cancels the task for good. Undefined: the task must run. */
  readonly cancel: Task | undefined;
}

/** A connection with waiting tasks. */
interface Flow {
  readonly tasks: Waiting[];
  /** Expected work of its tasks. */
  expected: number;
  /** Tasks that can be cancelled. */
  cancellable: number;
  /** Virtual time of its next task: the work that a connection with a full share has done until then. */
  startsAt: number;
}

/**
 * Shares the event loop between connections. Work runs immediately while a turn of the event loop has room. The
 * rest waits for later turns. The next task belongs to the connection whose work is done first in virtual time (as
 * in weighted fair queueing): the least work so far plus its waiting work. So a client with a few calls does not
 * wait for the thousands of calls of others, nor for their large batches.
 *  The callers limit the waiting tasks.
 */
export class FairTurns {
  /** The remaining work of this turn. Below 0 when the last task cost more. */
  #left = TURN;
  #isNextTurnDue = false;
  readonly #waiting = new Map<object, Flow>();
  /** The virtual start time of the next task of a connection without waiting tasks. */
  readonly #nextStarts = new WeakMap<object, number>();
  /** Virtual time of the last task. */
  #now = 0;

  /**
   * @param burst - work that a connection may do before others if it did less than its share before. With many
   * connections, a new one waits for the bursts of all. Unit: small unary calls. Default: 16.
   */
  constructor(private readonly burst = BURST) {}

  /** Whether the current turn has room and no task waits, so that work may continue without a separate task. */
  get isFree(): boolean {
    return this.#left > 0 && this.#waiting.size === 0;
  }

  /**
   * Runs a task of a connection, now or in a later turn.
   *
   * @param connection - any object that identifies the connection
   * @param task - must not throw; counts as 1, and {@link charge} adds further work
   * @param expected - the work that it is likely to cause. Unit: small unary calls.
   * @param cancel - called instead of the task when it is cancelled to make room
   */
  run(connection: object, task: Task, expected = 1, cancel?: Task): void {
    if (this.isFree) {
      this.#spend(1);
      task();
      return;
    }
    let flow = this.#waiting.get(connection);
    if (flow === undefined) {
      flow = { tasks: [], expected: 0, cancellable: 0, startsAt: this.#nextStartOf(connection) };
      this.#waiting.set(connection, flow);
    }
    flow.tasks.push({ task, expected, cancel });
    flow.expected += expected;
    if (cancel !== undefined) flow.cancellable++;
    this.#scheduleTurn();
  }

  /**
   * Counts work that was done for a connection, so that others run before its next work.
   *
   * @param cost - in small unary calls
   */
  charge(connection: object, cost: number): void {
    this.#spend(cost);
    const most = this.#now + MAX_DEBT;
    const flow = this.#waiting.get(connection);
    if (flow !== undefined) flow.startsAt = Math.min(flow.startsAt + cost, most);
    // While no task waits, every connection has its share.
    else if (this.#waiting.size > 0)
      this.#nextStarts.set(connection, Math.min(this.#nextStartOf(connection) + cost, most));
  }

  /**
   * Cancels the last task that can be cancelled, of the connection with the most of them.
   *
   * @param least - only if it has more of them than this
   * @returns whether a task was cancelled
   */
  cancelOne(least: number): boolean {
    let longest: [object, Flow] | undefined;
    for (const entry of this.#waiting)
      if (entry[1].cancellable > (longest?.[1].cancellable ?? least)) longest = entry;
    if (longest === undefined) return false;
    const [connection, flow] = longest;
    const index = flow.tasks.findLastIndex(({ cancel }) => cancel !== undefined);
    const [last] = flow.tasks.splice(index, 1) as [Waiting];
    flow.cancellable--;
    flow.expected -= last.expected;
    if (flow.tasks.length === 0) this.#endWait(connection, flow);
    last.cancel?.();
    return true;
  }

  #endWait(connection: object, flow: Flow): void {
    this.#waiting.delete(connection);
    this.#nextStarts.set(connection, flow.startsAt);
  }

  #nextStartOf(connection: object): number {
    return Math.max(this.#nextStarts.get(connection) ?? this.#now - NEWCOMER_LEAD, this.#now - this.burst);
  }

  #spend(cost: number): void {
    this.#left -= cost;
    if (this.#left <= 0) this.#scheduleTurn();
  }

  #scheduleTurn(): void {
    if (this.#isNextTurnDue) return;
    this.#isNextTurnDue = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#isNextTurnDue = false;
    this.#left = TURN;
    while (this.#left > 0 && this.#waiting.size > 0) this.#serveNext();
  };

  #serveNext(): void {
    let next: [object, Flow] | undefined;
    let nextRank = Number.POSITIVE_INFINITY;
    for (const entry of this.#waiting) {
      const rank = entry[1].startsAt + entry[1].expected;
      if (rank >= nextRank) continue;
      next = entry;
      nextRank = rank;
    }
    const [connection, flow] = next!;
    const { task, expected, cancel } = flow.tasks.shift()!;
    flow.expected -= expected;
    if (cancel !== undefined) flow.cancellable--;
    this.#now = Math.max(this.#now, flow.startsAt);
    this.charge(connection, 1);
    task();
    if (flow.tasks.length === 0) this.#endWait(connection, flow);
  }
}
