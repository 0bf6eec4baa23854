import type { Failure, Goodbye, Outcome, Seen, SeenMessage, SeenView, Sent, Timed } from '../history.js';

/** An event with its place in the mailbox. */
export interface Received {
  readonly sequence: number;
  readonly event: Seen;
}

/** A message, when it was given to the sidecar and what the answer was. */
export interface Send {
  readonly sent: Sent;
  readonly number: number;
  readonly begun: number;
  readonly begunAt: number;
  answered?: number;
  outcome?: Outcome;
  failure?: Failure;
}

/** What lies between a view of a group and the next one, at the observer. */
export interface Interval {
  readonly view: SeenView;
  readonly messages: string[];
}

/** One client object that received from a mailbox. */
export interface Reader {
  readonly number: number;
  next?: number;
  readonly received: Received[];
}

export interface BoxFacts {
  readonly name: string;
  readonly app: number;
  /** The first one. */
  readonly privateGroup: string;
  /** All that it had: one for each of its sessions at the daemon. */
  readonly privateGroups: Set<string>;
  readonly readers: Map<number, Reader>;
  /** By sequence, each event once: what all readers together received. */
  readonly events: Received[];
  readonly sends: Send[];
  goodbye?: { readonly how: Goodbye; readonly at: number };
  end?: { readonly failure: Failure | undefined; readonly at: number };
  settled: boolean;
  /** How often its connection to the daemon was lost and the mailbox lived on. */
  losses: number;
}

export interface Fault {
  readonly link: string;
  readonly fault: string;
  readonly from: number;
  to: number;
}

/** A history, sorted by what the checks ask for. */
export interface Facts {
  readonly entries: readonly Timed[];
  readonly observer: string;
  readonly groups: ReadonlySet<string>;
  /** What the observer got, in its order. */
  readonly observed: readonly SeenMessage[];
  /** Place in `observed` of each message. */
  readonly orderOf: ReadonlyMap<string, number>;
  readonly intervals: ReadonlyMap<string, readonly Interval[]>;
  readonly boxes: ReadonlyMap<string, BoxFacts>;
  readonly sends: ReadonlyMap<string, Send>;
  readonly faults: readonly Fault[];
}

/** The number at the end of a message's id: its place among those of its sender. */
const numberOf = (id: string) => Number(id.slice(id.lastIndexOf(':') + 1));

/** Sorts a history. Entries that contradict each other are left to the checks. */
export function gather(entries: readonly Timed[]): Facts {
  const head = entries.find((entry) => entry.kind === 'round');
  if (head?.kind !== 'round') throw new Error('the history does not begin with a round');
  const boxes = new Map<string, BoxFacts>();
  const sends = new Map<string, Send>();
  const faults: Fault[] = [];
  const observed: SeenMessage[] = [];
  const orderOf = new Map<string, number>();
  const intervals = new Map<string, Interval[]>(head.groups.map((group) => [group, []]));

  const observe = (event: Seen) => {
    if (event.is === 'view') intervals.get(event.group)?.push({ view: event, messages: [] });
    if (event.is !== 'message' || event.id === undefined) return;
    if (!orderOf.has(event.id)) orderOf.set(event.id, observed.length);
    observed.push(event);
    for (const group of event.groups) intervals.get(group)?.at(-1)?.messages.push(event.id);
  };

  for (const [index, entry] of entries.entries()) {
    const box = 'box' in entry ? boxes.get(entry.box) : undefined;
    switch (entry.kind) {
      case 'observed':
        observe(entry.event);
        break;
      case 'connected':
        boxes.set(entry.box, {
          name: entry.box,
          app: entry.app,
          privateGroup: entry.privateGroup,
          privateGroups: new Set([entry.privateGroup]),
          losses: 0,
          readers: new Map(),
          events: [],
          sends: [],
          settled: false,
        });
        break;
      case 'attached':
        if (box) readerOf(box, entry.reader).next ??= entry.next;
        break;
      case 'event':
        if (box)
          readerOf(box, entry.reader).received.push({
            sequence: entry.sequence,
            event: entry.event,
          });
        break;
      case 'ended':
        if (box) box.end = { failure: entry.failure, at: entry.at };
        break;
      case 'goodbye':
        if (box) box.goodbye = { how: entry.how, at: entry.at };
        break;
      case 'settled':
        if (box) box.settled = true;
        break;
      case 'send': {
        const send: Send = { sent: entry, number: numberOf(entry.id), begun: index, begunAt: entry.at };
        sends.set(entry.id, send);
        box?.sends.push(send);
        break;
      }
      case 'sent': {
        const send = sends.get(entry.id);
        if (send) Object.assign(send, { answered: index, outcome: entry.outcome, failure: entry.failure });
        break;
      }
      case 'fault':
        faults.push({ link: entry.link, fault: entry.fault, from: entry.at, to: Number.POSITIVE_INFINITY });
        break;
      case 'healed': {
        const fault = faults.findLast(({ link }) => link === entry.link);
        if (fault) fault.to = entry.at;
        break;
      }
    }
  }
  for (const box of boxes.values()) {
    box.events.push(...merge(box));
    for (const { event } of box.events) {
      if (event.is === 'lost') box.losses += 1;
      if (event.is === 'restored') box.privateGroups.add(event.privateGroup);
    }
  }
  const groups = new Set(head.groups);
  return { entries, observer: head.observer, groups, observed, orderOf, intervals, boxes, sends, faults };
}

function readerOf(box: BoxFacts, number: number): Reader {
  let reader = box.readers.get(number);
  if (!reader) {
    reader = { number, received: [] };
    box.readers.set(number, reader);
  }
  return reader;
}

/** Each event once, in the order of the sequences. */
function merge(box: BoxFacts): Received[] {
  const first = new Map<number, Received>();
  for (const reader of box.readers.values())
    for (const received of reader.received)
      if (!first.has(received.sequence)) first.set(received.sequence, received);
  return [...first.values()].sort((a, b) => a.sequence - b.sequence);
}

/** Whether a fault of this link struck, or lasted, within so many milliseconds before `at`. */
export function faultBefore(facts: Facts, link: string, at: number, withinMs: number): boolean {
  return facts.faults.some((fault) => fault.link === link && fault.from <= at && fault.to >= at - withinMs);
}
