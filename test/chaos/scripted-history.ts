import type { Entry, Outcome, Seen, Sent, Service, Timed } from './history.js';
import { measure, payloadOf } from './payload.js';

const OBSERVER = '#o#localhost';

interface ScriptedBox {
  readonly name: string;
  readonly privateGroup: string;
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
  /** Whether it reaches the daemon. Default: as the outcome says, and an unknown one does. */
  readonly delivered?: boolean;
}

/** Writes the history that a perfect sidecar and a perfect daemon would leave, step by step. */
export class ScriptedHistory {
  readonly entries: Timed[] = [];
  readonly #groups: readonly string[];
  readonly #members = new Map<string, string[]>();
  readonly #boxes: ScriptedBox[] = [];
  #views = 0;
  #apps = 0;

  constructor(groups: readonly string[]) {
    this.#groups = groups;
    this.add({ kind: 'round', seed: 'scripted', groups });
    this.add({ kind: 'observer', number: 1, privateGroup: OBSERVER });
    for (const group of groups) this.#change(group, 'JOIN', OBSERVER);
  }

  add(entry: Entry): void {
    this.entries.push({ at: this.entries.length, ...entry });
  }

  connect(name: string): ScriptedBox {
    const privateGroup = `#${name}#localhost`;
    const app = this.#apps;
    this.#apps += 1;
    const box = { name, privateGroup, app, groups: new Set<string>(), reader: 0, sequence: 0, messages: 0 };
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
    this.#change(group, 'JOIN', box.privateGroup);
  }

  leave(box: ScriptedBox, group: string): void {
    this.add({ kind: 'asked', box: box.name, what: 'leave', group });
    this.#give(box, { is: 'selfLeave', group });
    box.groups.delete(group);
    this.#change(group, 'LEAVE', box.privateGroup);
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
      if (groups.some((group) => this.#groups.includes(group))) this.add({ kind: 'observed', by: 1, event });
      for (const member of this.#boxes)
        if (!(selfDiscard && member === box) && isAddressed(member, groups)) this.#give(member, event);
    }
    this.add({ kind: 'sent', box: box.name, id, outcome });
    return id;
  }

  fault(link: string, fault: string): void {
    this.add({ kind: 'fault', link, fault, detail: '' });
    this.add({ kind: 'healed', link, fault });
  }

  /** The daemon's connection breaks: the mailbox is told, and the others see it go. */
  lose(box: ScriptedBox): void {
    const failure = {
      status: 'UNAVAILABLE',
      reason: 'CONNECTION_CLOSED',
      message: 'gone',
      lastSequence: box.sequence,
    };
    this.add({ kind: 'ended', box: box.name, reader: box.reader, failure });
    this.#gone(box);
  }

  /** The connection breaks, and the mailbox lives on with another one. */
  reconnect(box: ScriptedBox): void {
    const groups = [...box.groups];
    this.#give(box, { is: 'lost', groups });
    box.groups.clear();
    for (const group of groups) this.#change(group, 'DISCONNECT', box.privateGroup);
    this.#give(box, { is: 'restored', privateGroup: box.privateGroup, groups });
    for (const group of groups) {
      box.groups.add(group);
      this.#change(group, 'JOIN', box.privateGroup);
    }
  }

  goodbye(box: ScriptedBox): void {
    this.add({ kind: 'goodbye', box: box.name, how: 'clean' });
    this.add({ kind: 'ended', box: box.name, reader: box.reader });
    this.#gone(box);
  }

  /** Everything is over. */
  end(): Timed[] {
    const living = [...this.#boxes];
    for (const { name } of living) this.add({ kind: 'settled', box: name });
    for (const box of living) this.goodbye(box);
    return this.entries;
  }

  #gone(box: ScriptedBox): void {
    this.#boxes.splice(this.#boxes.indexOf(box), 1);
    for (const group of box.groups) this.#change(group, 'DISCONNECT', box.privateGroup);
  }

  #change(group: string, cause: string, changed: string): void {
    const before = this.#members.get(group) ?? [];
    const members =
      cause === 'JOIN' ? [...before, changed].sort() : before.filter((name) => name !== changed);
    this.#members.set(group, members);
    this.#views += 1;
    const view = { is: 'view', group, id: `1 1 ${this.#views}`, cause, members, changed: [changed] } as const;
    this.add({ kind: 'observed', by: 1, event: { ...view, own: members.indexOf(OBSERVER) } });
    for (const box of this.#boxes)
      if (box.groups.has(group)) this.#give(box, { ...view, own: members.indexOf(box.privateGroup) });
  }

  #give(box: ScriptedBox, event: Seen): void {
    box.sequence += 1;
    this.add({ kind: 'event', box: box.name, reader: box.reader, sequence: box.sequence, event });
  }
}

function isAddressed(box: ScriptedBox, groups: readonly string[]): boolean {
  return groups.some((group) => box.groups.has(group) || group === box.privateGroup);
}
