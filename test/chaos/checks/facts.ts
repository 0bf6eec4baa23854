import type { Failure, Goodbye, Outcome, Seen, Sent, Timed } from '../history.js';
import { daemonOf, Truth } from './truth.js';

/** An event with its position in the mailbox. */
export interface Received {
  readonly sequence: number;
  readonly event: Seen;
}

/** A message, with the time of its send call and the result. */
export interface Send {
  readonly sent: Sent;
  readonly number: number;
  readonly begun: number;
  readonly begunAt: number;
  answered?: number;
  outcome?: Outcome;
  failure?: Failure;
}

/** A client object that received from a mailbox. */
export interface Reader {
  readonly number: number;
  next?: number;
  readonly received: Received[];
}

export interface BoxFacts {
  readonly name: string;
  readonly app: number;
  readonly connectedAt: number;
  /** The first private group. */
  readonly privateGroup: string;
  /** The private groups of all its sessions at the daemon. */
  readonly privateGroups: Set<string>;
  readonly readers: Map<number, Reader>;
  /** The events that all readers together received, by sequence, each once. */
  readonly events: Received[];
  readonly sends: Send[];
  goodbye?: { readonly how: Goodbye; readonly at: number };
  end?: { readonly failure: Failure | undefined; readonly at: number };
  settled: boolean;
  /** Number of lost daemon connections that the mailbox survived. */
  losses: number;
}

export interface Fault {
  /** The links that the fault affects. */
  readonly links: readonly string[];
  readonly fault: string;
  readonly from: number;
  to: number;
}

/** The link for faults between daemons. */
export const BETWEEN_DAEMONS = 'network';

/** A history, sorted for the checks. */
export interface Facts {
  readonly entries: readonly Timed[];
  readonly groups: ReadonlySet<string>;
  /** The observers' knowledge of each daemon, by daemon. */
  readonly truths: ReadonlyMap<string, Truth>;
  readonly boxes: ReadonlyMap<string, BoxFacts>;
  readonly sends: ReadonlyMap<string, Send>;
  readonly faults: readonly Fault[];
}

/** The number at the end of a message's ID: its position among the messages of its sender. */
const numberOf = (id: string) => Number(id.slice(id.lastIndexOf(':') + 1));

/** Sorts a history. The checks find contradictory entries. */
export function gather(entries: readonly Timed[]): Facts {
  const head = entries.find((entry) => entry.kind === 'round');
  if (head?.kind !== 'round') throw new Error('the history does not begin with a round');
  const boxes = new Map<string, BoxFacts>();
  const sends = new Map<string, Send>();
  const faults: Fault[] = [];
  const truths = new Map<string, Truth>();
  const byObserver = new Map<number, Truth>();

  for (const [index, entry] of entries.entries()) {
    const box = 'box' in entry ? boxes.get(entry.box) : undefined;
    switch (entry.kind) {
      case 'observer': {
        const daemon = daemonOf(entry.privateGroup);
        const truth = truths.get(daemon) ?? new Truth(daemon, head.groups);
        truths.set(daemon, truth);
        byObserver.set(entry.number, truth);
        truth.begin(entry.number, entry.privateGroup);
        break;
      }
      case 'observerLost':
        byObserver.get(entry.number)?.lose(entry.number);
        break;
      case 'observed':
        byObserver.get(entry.by)?.add(entry.by, entry.event, entry.at);
        break;
      case 'connected':
        boxes.set(entry.box, {
          name: entry.box,
          app: entry.app,
          connectedAt: entry.at,
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
        faults.push({
          links: [entry.link, ...(entry.affects ?? [])],
          fault: entry.fault,
          from: entry.at - (entry.noticedAfterMs ?? 0),
          to: Number.POSITIVE_INFINITY,
        });
        break;
      case 'healed': {
        const fault = faults.findLast(({ links }) => links[0] === entry.link);
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
  return { entries, groups: new Set(head.groups), truths, boxes, sends, faults };
}

/** The observers' knowledge of the daemon of a mailbox. */
export function truthOf(facts: Facts, box: BoxFacts): Truth {
  const daemon = daemonOf(box.privateGroup);
  return facts.truths.get(daemon) ?? new Truth(daemon, []);
}

/**
 * Whether its application stopped receiving before the end, by a disconnect or because it lost the sidecar.
 * Then the mailbox may have reconnected without a receiver.
 */
export function isOutOfSight({ end, goodbye, settled }: BoxFacts): boolean {
  return !settled && (goodbye !== undefined || end?.failure?.reason === '');
}

/** Whether its messages came after the end of its first session, or no observer knows. */
export function hadAnotherSession(facts: Facts, box: BoxFacts): boolean {
  const { intervals, orderOf } = truthOf(facts, box);
  const views = [...intervals.values()].flat();
  if (!views.some(({ view }) => view.members.includes(box.privateGroup))) return true;
  const endView = views.find(
    ({ view }) => view.cause === 'DISCONNECT' && view.changed.includes(box.privateGroup),
  );
  return endView !== undefined && box.sends.some(({ sent }) => (orderOf.get(sent.id) ?? 0) > endView.since);
}

/** Whether any observer received this message. */
export function wasObserved(facts: Facts, id: string): boolean {
  for (const truth of facts.truths.values()) if (truth.orderOf.has(id)) return true;
  return false;
}

function readerOf(box: BoxFacts, number: number): Reader {
  let reader = box.readers.get(number);
  if (!reader) {
    reader = { number, received: [] };
    box.readers.set(number, reader);
  }
  return reader;
}

/** The events without repetition, in the order of the sequences. */
function merge(box: BoxFacts): Received[] {
  const first = new Map<number, Received>();
  for (const reader of box.readers.values())
    for (const received of reader.received)
      if (!first.has(received.sequence)) first.set(received.sequence, received);
  return [...first.values()].sort((a, b) => a.sequence - b.sequence);
}

/** Whether a fault of this link was active in the `withinMs` milliseconds before `at`. */
export function faultBefore(facts: Facts, link: string, at: number, withinMs: number): boolean {
  return facts.faults.some(
    (fault) => fault.from <= at && fault.to >= at - withinMs && fault.links.includes(link),
  );
}
