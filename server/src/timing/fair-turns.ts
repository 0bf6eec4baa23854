type Task = () => void;

/** Work of one turn of the event loop. Unit: the work for one small unary call, some 60 µs. */
const TURN = 16;
/** Work that a connection may do before others when it did less than its share until then. Unit: as TURN. */
const BURST = 16;

/** A connection that waits. */
interface Flow {
  readonly tasks: { readonly task: Task; readonly expected: number }[];
  /** Expected work of its tasks. */
  expected: number;
  /** Virtual time of its next task: the work that a connection with a full share has done until then. */
  startsAt: number;
}

/**
 * Shares the event loop between connections. Work runs at once while a turn of the event loop has room; the rest waits for later
 * turns. The next task is one of the connection whose work is done first in virtual time (as in weighted fair queueing): the least work
 * until now, together with what waits. So a client with a few calls does not wait for the thousands of calls that others have sent, nor
 * for their large batches.
 *
 * The callers bound the tasks that wait.
 */
export class FairTurns {
  /** What is left of this turn. Below 0 when the last task cost more. */
  #left = TURN;
  #isNextTurnDue = false;
  readonly #waiting = new Map<object, Flow>();
  /** When the next task of a connection starts that does not wait. */
  readonly #nextStarts = new WeakMap<object, number>();
  /** Virtual time of the last task. */
  #now = 0;
  /** The flow whose task runs. */
  #running: Flow | undefined;

  /** Whether the running turn has room and no task waits: work may go on without a task of its own. */
  get isFree(): boolean {
    return this.#left > 0 && this.#waiting.size === 0;
  }

  /**
   * Runs a task of a connection, now or in a later turn.
   *
   * @param connection - any object that stands for the connection
   * @param task - must not throw; it counts as 1, and what it causes beyond that with {@link spend}
   * @param expected - the work that it is likely to cause. Unit: small unary calls.
   */
  run(connection: object, task: Task, expected = 1): void {
    if (this.isFree) {
      this.spend(1);
      task();
      return;
    }
    let flow = this.#waiting.get(connection);
    if (flow === undefined) {
      const startsAt = Math.max(this.#nextStarts.get(connection) ?? this.#now, this.#now - BURST);
      flow = { tasks: [], expected: 0, startsAt };
      this.#waiting.set(connection, flow);
    }
    flow.tasks.push({ task, expected });
    flow.expected += expected;
    this.#scheduleTurn();
  }

  /** Counts work that the running task causes, so that others run before more of it. @param cost - in small unary calls */
  spend(cost: number): void {
    this.#left -= cost;
    if (this.#running !== undefined) this.#running.startsAt += cost;
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
    const { task, expected } = flow.tasks.shift()!;
    flow.expected -= expected;
    this.#now = Math.max(this.#now, flow.startsAt);
    this.#running = flow;
    this.spend(1);
    task();
    this.#running = undefined;
    if (flow.tasks.length > 0) return;
    this.#waiting.delete(connection);
    this.#nextStarts.set(connection, flow.startsAt);
  }
}
