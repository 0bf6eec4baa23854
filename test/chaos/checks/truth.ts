import type { Seen, SeenMessage, SeenView } from '../history.js';

/** The time between a view of a group and the next one, at an observer. */
export interface Interval {
  /** The number of the observer. */
  readonly by: number;
  readonly view: SeenView;
  /** When the observer got the view, by the clock of the history. Unit: ms. */
  readonly at: number;
  /** The IDs of messages, and of the transitional signal, if there was one. */
  readonly messages: string[];
  /** Everything after the view has a greater position. */
  readonly since: number;
  /** The observer ended in it, so that others may have received more. */
  cutOff: boolean;
}

export interface Observer {
  readonly number: number;
  readonly privateGroup: string;
  /** The received messages, in order. */
  readonly messages: SeenMessage[];
  lost: boolean;
}

/** The ID of the transitional signal of a view among the messages. */
export const signalOf = (group: string, view: string) => `signal ${group} ${view}`;

/** The daemon of a session. */
export const daemonOf = (privateGroup: string) => privateGroup.slice(privateGroup.lastIndexOf('#') + 1);

/** The events of the observers at one daemon, one after the other. */
export class Truth {
  readonly observers: Observer[] = [];
  /** The position of each message, and of each signal that came only once. */
  readonly orderOf = new Map<string, number>();
  /** The intervals by group. */
  readonly intervals: ReadonlyMap<string, Interval[]>;
  readonly #signals = new Set<string>();
  #places = 0;

  constructor(
    readonly daemon: string,
    groups: readonly string[],
  ) {
    this.intervals = new Map(groups.map((group) => [group, []]));
  }

  begin(number: number, privateGroup: string): void {
    this.observers.push({ number, privateGroup, messages: [], lost: false });
  }

  lose(number: number): void {
    const observer = this.observers.find((one) => one.number === number);
    if (observer) observer.lost = true;
    for (const list of this.intervals.values()) {
      const last = list.at(-1);
      if (last?.by === number) last.cutOff = true;
    }
  }

  add(by: number, event: Seen, at: number): void {
    switch (event.is) {
      case 'view':
        this.intervals
          .get(event.group)
          ?.push({ by, view: event, at, messages: [], since: this.#places, cutOff: false });
        break;
      case 'transitional':
        this.#addSignal(signalOf(event.group, event.id), event.group);
        break;
      case 'message':
        this.observers.find((one) => one.number === by)?.messages.push(event);
        if (event.id !== undefined) this.#note(event.id, event.groups);
        break;
    }
  }

  /** Whether its daemon was killed. Then the last events of others may be unknown. */
  get cutOff(): boolean {
    return this.observers.some(({ lost }) => lost);
  }

  /**
   * A daemon that was killed and restarted within seconds may use the ID of a view again for another view.
   */
  #addSignal(id: string, group: string): void {
    this.#note(id, [group]);
    if (this.#signals.has(id)) this.orderOf.delete(id);
    this.#signals.add(id);
  }

  #note(id: string, groups: readonly string[]): void {
    this.#places += 1;
    if (!this.orderOf.has(id)) this.orderOf.set(id, this.#places);
    for (const group of groups) this.intervals.get(group)?.at(-1)?.messages.push(id);
  }
}
