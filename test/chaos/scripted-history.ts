import { daemonId } from '../../server/src/daemon/naming.js';
import type { Entry, Outcome, Seen, SeenView, Sent, Service, Timed } from './history.js';
import { measure, payloadOf } from './payload.js';

interface ScriptedBox {
  readonly name: string;
  readonly privateGroup: string;
  readonly daemon: string;
  readonly app: number;
  readonly groups: Set<string>;
  reader: number;
  sequence: number;
  messages: number;
}

export interface SendOptions {
  readonly selfDiscard?: boolean;
  readonly outcome?: Outcome;
  readonly stream?: number;
  /** Whether it reaches the daemon. Default: by the outcome; true for an unknown one. */
  readonly delivered?: boolean;
}

interface ScriptedDaemon {
  readonly name: string;
  /** The number of its observer. */
  number: number;
  /** The views by group, as its members see them. */
  readonly views: Map<string, { id: string; members: readonly string[] }>;
}

const observerAt = (daemon: ScriptedDaemon) => `#o${daemon.number}#${daemon.name}`;

/** Writes the history of perfect sidecars and daemons, step by step. */
export class ScriptedHistory {
  readonly entries: Timed[] = [];
  readonly #groups: readonly string[];
  readonly #boxes: ScriptedBox[] = [];
  /** The daemons that reach each other. */
  #components: ScriptedDaemon[][] = [];
  #observers = 0;
  #views = 0;
  #apps = 0;

  constructor(groups: readonly string[], daemons: readonly string[] = ['localhost']) {
    this.#groups = groups;
    this.add({ kind: 'round', seed: 'scripted', groups });
    this.#components = [daemons.map((name) => ({ name, number: 0, views: new Map() }))];
    for (const daemon of this.#components.flat()) this.#observe(daemon);
  }

  add(entry: Entry): void {
    this.entries.push({ at: this.entries.length, ...entry });
  }

  connect(name: string, daemon = 'localhost'): ScriptedBox {
    const privateGroup = `#${name}#${daemon}`;
    const app = this.#apps;
    this.#apps += 1;
    const counts = { reader: 0, sequence: 0, messages: 0 };
    const box = { name, privateGroup, daemon, app, groups: new Set<string>(), ...counts };
    this.#boxes.push(box);
    this.add({ kind: 'connected', box: name, app, privateGroup, acknowledgement: 'EXPLICIT' });
    this.attach(box, 1);
    return box;
  }

  attach(box: ScriptedBox, next = box.sequence + 1): void {
    this.add({ kind: 'attached', box: box.name, reader: box.reader, next });
  }

  /** A new reader, which gets the last `again` events a second time. */
  handOver(box: ScriptedBox, again: number): void {
    const last = this.entries.filter(
      (entry) => entry.kind === 'event' && entry.box === box.name && entry.sequence > box.sequence - again,
    );
    box.reader += 1;
    this.attach(box, box.sequence - again + 1);
    for (const entry of last) if (entry.kind === 'event') this.add({ ...entry, reader: box.reader });
  }

  join(box: ScriptedBox, group: string): void {
    this.add({ kind: 'asked', box: box.name, what: 'join', group });
    box.groups.add(group);
    this.#change(group, 'JOIN', box.privateGroup, box.daemon);
  }

  leave(box: ScriptedBox, group: string): void {
    this.add({ kind: 'asked', box: box.name, what: 'leave', group });
    this.#give(box, { is: 'selfLeave', group });
    box.groups.delete(group);
    this.#change(group, 'LEAVE', box.privateGroup, box.daemon);
  }

  send(box: ScriptedBox, groups: readonly string[], service: Service, options: SendOptions = {}): string {
    const { selfDiscard = false, outcome = 'ok', stream, delivered = outcome !== 'refused' } = options;
    box.messages += 1;
    const id = `${box.name}:${box.messages}`;
    const content = { service, groups, selfDiscard, ...measure(payloadOf(id, 40)) };
    const sent: Sent = { box: box.name, id, stream, ...content };
    this.add({ kind: 'send', ...sent });
    const event: Seen = { is: 'message', id, sender: box.privateGroup, ...content };
    if (delivered) {
      const reached = this.#around(box.daemon);
      if (groups.some((group) => this.#groups.includes(group)))
        for (const { number } of reached) this.add({ kind: 'observed', by: number, event });
      for (const member of this.#boxes)
        if (
          !(selfDiscard && member === box) &&
          isAddressed(member, groups) &&
          reached.some(({ name }) => name === member.daemon)
        )
          this.#give(member, event);
    }
    this.add({ kind: 'sent', box: box.name, id, outcome });
    return id;
  }

  fault(link: string, fault: string): void {
    this.add({ kind: 'fault', link, fault, detail: '' });
    this.add({ kind: 'healed', link, fault });
  }

  /**
   * Its client gives up because it does not reach the sidecar, or disconnects before it has received
   * everything. The mailbox loses its connection and stays open for a while.
   */
  stopReading(box: ScriptedBox, how: 'gives up' | 'says goodbye'): void {
    const failure = { status: 'UNAVAILABLE', reason: '', message: 'the sidecar was not reached' };
    const { name, reader } = box;
    if (how === 'says goodbye') this.add({ kind: 'goodbye', box: name, how: 'abort' });
    this.add({ kind: 'ended', box: name, reader, ...(how === 'gives up' && { failure }) });
    this.#gone(box);
    for (const group of box.groups) this.#change(group, 'JOIN', box.privateGroup, box.daemon);
  }

  /** The sidecar of a mailbox is killed, and the next one does not know the mailbox. */
  crash(box: ScriptedBox): void {
    const { name, app, reader } = box;
    const affects = [`app:${app}`, `daemon:${app}`];
    this.add({ kind: 'fault', link: 'sidecar process:0', fault: 'kill', detail: '', affects });
    this.add({ kind: 'healed', link: 'sidecar process:0', fault: 'kill' });
    const failure = { status: 'NOT_FOUND', reason: 'ILLEGAL_SESSION', message: 'no such mailbox' };
    this.add({ kind: 'ended', box: name, reader, failure });
    this.#gone(box);
  }

  /** The daemon connection breaks: the mailbox gets a report, and the others see it leave. */
  lose(box: ScriptedBox): void {
    this.#end(box);
    this.#gone(box);
  }

  /** The daemon connection breaks, and the mailbox reconnects. */
  reconnect(box: ScriptedBox): void {
    const groups = [...box.groups];
    this.#give(box, { is: 'lost', groups });
    box.groups.clear();
    for (const group of groups) this.#change(group, 'DISCONNECT', box.privateGroup, box.daemon);
    this.#give(box, { is: 'restored', privateGroup: box.privateGroup, groups });
    for (const group of groups) {
      box.groups.add(group);
      this.#change(group, 'JOIN', box.privateGroup, box.daemon);
    }
  }

  goodbye(box: ScriptedBox): void {
    this.add({ kind: 'goodbye', box: box.name, how: 'clean' });
    this.add({ kind: 'ended', box: box.name, reader: box.reader });
    this.#gone(box);
  }

  /** Ends the history. */
  end(): Timed[] {
    const living = [...this.#boxes];
    for (const { name } of living) this.add({ kind: 'settled', box: name });
    for (const box of living) this.goodbye(box);
    return this.entries;
  }

  /** Splits the daemons into these sides. */
  partition(...sides: readonly (readonly string[])[]): void {
    this.fault('network', 'partition');
    const all = this.#components.flat();
    this.#components = sides.map((side) => all.filter(({ name }) => side.includes(name)));
    for (const group of this.#groups)
      for (const component of this.#components) {
        const here = (member: string) => component.some(({ name }) => member.endsWith(`#${name}`));
        const { id, members } = component[0]!.views.get(group)!;
        for (const daemon of component) this.#tell(daemon, group, { is: 'transitional', group, id });
        this.#network(group, [members.filter(here)], component);
      }
  }

  /** Ends all partitions. */
  heal(): void {
    this.#merge(this.#components, []);
  }

  /** Merges these daemons with all daemons that each of them reaches. */
  rejoin(...daemons: readonly string[]): void {
    const found = (side: readonly ScriptedDaemon[]) => side.some(({ name }) => daemons.includes(name));
    this.#merge(
      this.#components.filter(found),
      this.#components.filter((side) => !found(side)),
    );
  }

  #merge(sides: readonly ScriptedDaemon[][], apart: readonly ScriptedDaemon[][]): void {
    this.#components = [sides.flat(), ...apart];
    for (const group of this.#groups) {
      const sets = sides.map((side) => side[0]!.views.get(group)!.members);
      this.#network(group, sets, sides.flat());
    }
  }

  /**
   * A daemon that is alone is killed with its mailboxes and replaced. One of its mailboxes, `last`, may have
   * received a message that no observer received.
   */
  restart(daemon: string, last?: ScriptedBox): void {
    const one = this.#around(daemon)[0]!;
    const own = this.#boxes.filter((box) => box.daemon === daemon);
    const link = `daemon process:${daemon}`;
    const affects = [...own.map(({ app }) => `daemon:${app}`), 'network'];
    this.add({ kind: 'fault', link, fault: 'kill', detail: '', affects });
    if (last) {
      const id = `${last.name}:last`;
      const content = { service: 'AGREED', groups: this.#groups, selfDiscard: false } as const;
      const sent: Sent = { box: last.name, id, ...content, ...measure(payloadOf(id, 40)) };
      this.add({ kind: 'send', ...sent });
      const { box: _, ...rest } = sent;
      this.#give(last, { is: 'message', sender: last.privateGroup, ...rest });
      this.add({ kind: 'sent', box: last.name, id, outcome: 'ok' });
    }
    this.add({ kind: 'observerLost', number: one.number });
    for (const box of own) {
      this.#boxes.splice(this.#boxes.indexOf(box), 1);
      this.#end(box);
    }
    one.views.clear();
    this.add({ kind: 'healed', link, fault: 'kill' });
    this.#observe(one);
  }

  #observe(daemon: ScriptedDaemon): void {
    this.#observers += 1;
    daemon.number = this.#observers;
    this.add({ kind: 'observer', number: daemon.number, privateGroup: observerAt(daemon) });
    for (const group of this.#groups) this.#change(group, 'JOIN', observerAt(daemon), daemon.name);
  }

  /** The daemons that this one reaches, including itself. */
  #around(daemon: string): readonly ScriptedDaemon[] {
    return this.#components.find((side) => side.some(({ name }) => name === daemon))!;
  }

  #gone(box: ScriptedBox): void {
    this.#boxes.splice(this.#boxes.indexOf(box), 1);
    for (const group of box.groups) this.#change(group, 'DISCONNECT', box.privateGroup, box.daemon);
  }

  #change(group: string, cause: string, changed: string, at: string): void {
    const side = this.#around(at);
    const before = side.map(({ views }) => views.get(group)?.members ?? []).find(({ length }) => length > 0);
    const members =
      cause === 'JOIN'
        ? [...(before ?? []), changed].sort()
        : (before ?? []).filter((name) => name !== changed);
    const id = this.#nextViewId(side);
    for (const daemon of side) {
      daemon.views.set(group, { id, members });
      this.#tellView(daemon, { is: 'view', group, id, cause, members, changed: [changed], own: -1 });
    }
  }

  #network(group: string, sets: readonly (readonly string[])[], daemons: readonly ScriptedDaemon[]): void {
    const id = this.#nextViewId(daemons);
    const members = sets.flat();
    for (const daemon of daemons) {
      const ownSet = sets.findIndex((set) => set.includes(observerAt(daemon)));
      const changed = members.filter((member) => !sets[ownSet]!.includes(member));
      daemon.views.set(group, { id, members });
      const rest = { members, changed, own: -1, sets, ownSet };
      this.#tellView(daemon, { is: 'view', group, id, cause: 'NETWORK', ...rest });
    }
  }

  /** The first daemon of a component creates the ID. */
  #nextViewId([first]: readonly ScriptedDaemon[]): string {
    this.#views += 1;
    return `${daemonId(first!.name)} 1 ${this.#views}`;
  }

  #tellView(daemon: ScriptedDaemon, view: SeenView): void {
    const own = view.members.indexOf(observerAt(daemon));
    if (own >= 0) this.add({ kind: 'observed', by: daemon.number, event: { ...view, own } });
    for (const box of this.#boxes)
      if (box.daemon === daemon.name && box.groups.has(view.group))
        this.#give(box, { ...view, own: view.members.indexOf(box.privateGroup) });
  }

  /** Delivers an event to the observer of a daemon and its members of the group. */
  #tell(daemon: ScriptedDaemon, group: string, event: Seen): void {
    this.add({ kind: 'observed', by: daemon.number, event });
    for (const box of this.#boxes)
      if (box.daemon === daemon.name && box.groups.has(group)) this.#give(box, event);
  }

  /** The daemon connection ends. */
  #end(box: ScriptedBox): void {
    const failure = {
      status: 'UNAVAILABLE',
      reason: 'CONNECTION_CLOSED',
      message: 'gone',
      lastSequence: box.sequence,
    };
    this.add({ kind: 'ended', box: box.name, reader: box.reader, failure });
  }

  #give(box: ScriptedBox, event: Seen): void {
    box.sequence += 1;
    this.add({ kind: 'event', box: box.name, reader: box.reader, sequence: box.sequence, event });
  }
}

function isAddressed(box: ScriptedBox, groups: readonly string[]): boolean {
  return groups.some((group) => box.groups.has(group) || group === box.privateGroup);
}
