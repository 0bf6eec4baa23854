import {
  decodeMapMessage,
  encodeMapMessage,
  type MapMessage,
} from '../../../../clients/typescript/src/blocks/map-messages.js';
import { type MapEffects, MapState } from '../../../../clients/typescript/src/blocks/map-state.js';

/** A reproducible source of random numbers from 0 to 1. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Sent {
  readonly sender: string;
  readonly bytes: Buffer;
}

/** Members that reach each other. All get the same messages in the same order, at their own speed. */
interface Component {
  readonly members: readonly Node[];
  /** The order of the messages of this view. */
  readonly order: Sent[];
}

/** A member of the group. */
export interface Node {
  readonly name: string;
  readonly state: MapState;
  readonly effects: MapEffects[];
  /** How many messages of the view it has received. */
  received: number;
  /** Messages that it has sent, but that have no place in the order yet. */
  readonly outbox: Sent[];
}

/**
 * A group in a network with partitions, with Spread's guarantees: total order, and virtual synchrony. Members that move together
 * have received the same messages. A message of a member arrives at itself, if need be in the next view.
 */
export class SimulatedNetwork {
  components: Component[] = [];
  #views = 0;
  #names = 0;

  constructor(private readonly random: () => number) {}

  get nodes(): readonly Node[] {
    return this.components.flatMap(({ members }) => members);
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.random() * items.length)] as Item;
  }

  /** A new member joins a component, or is the first member. */
  join(component?: Component): Node {
    const name = `#m${this.#names++}#n`;
    const node: Node = { name, state: new MapState(name), effects: [], received: 0, outbox: [] };
    this.#change(component ? [component] : [], [[...(component?.members ?? []), node]]);
    return node;
  }

  /** The member disconnects or dies. Its last messages may be lost. */
  crash(node: Node): void {
    const component = this.#of(node);
    this.#change([component], [component.members.filter((member) => member !== node)]);
  }

  /** Separates a component at random. */
  partition(component: Component): void {
    const sides: [Node[], Node[]] = [[], []];
    for (const member of component.members) sides[this.random() < 0.5 ? 0 : 1].push(member);
    this.#change([component], sides);
  }

  /** Two components reach each other again. The members of one of them come first in the view. */
  merge(first: Component, second: Component): void {
    this.#change([first, second], [[...first.members, ...second.members]]);
  }

  send(node: Node, message: MapMessage): void {
    node.outbox.push({ sender: node.name, bytes: encodeMapMessage(message) });
  }

  /** The next sent message of the node gets its place in the order. Returns false if there is none. */
  transmit(node: Node): boolean {
    const sent = node.outbox.shift();
    if (sent === undefined) return false;
    this.#of(node).order.push(sent);
    return true;
  }

  /** A member receives its next message. Returns false if there is none. */
  deliver(node: Node): boolean {
    const { order } = this.#of(node);
    const next = order[node.received];
    if (next === undefined) return false;
    node.received += 1;
    this.#receive(node, next);
    return true;
  }

  /** All members receive everything, also what they send meanwhile. */
  settle(): void {
    const isBusy = ({ outbox, received }: Node, { order }: Component) =>
      outbox.length > 0 || received < order.length;
    for (;;) {
      const busy = this.components.flatMap((one) => one.members.filter((node) => isBusy(node, one)));
      if (busy.length === 0) return;
      const node = this.pick(busy);
      if (this.random() < 0.5) this.transmit(node);
      else this.deliver(node);
    }
  }

  #receive(node: Node, { sender, bytes }: Sent): void {
    const message = decodeMapMessage(bytes);
    if (message === undefined) throw new Error('a message is malformed');
    this.#apply(node, node.state.message(sender, message));
  }

  #apply(node: Node, effects: MapEffects): void {
    node.effects.push(effects);
    for (const message of effects.send) this.send(node, message);
  }

  /** Replaces components by new ones. Each part of an old component that stays together moves together. */
  #change(old: readonly Component[], next: readonly (readonly Node[])[]): void {
    const groups = next.filter((members) => members.length > 0);
    const moves = groups.map((members) => {
      const carried: Sent[] = [];
      const together = new Map<Node, readonly string[]>();
      for (const component of old) {
        const part = members.filter((member) => component.members.includes(member));
        if (part.length === 0) continue;
        const names = part.map(({ name }) => name);
        for (const member of part) together.set(member, names);
        carried.push(...this.#agree(component, part));
      }
      return { members, together, carried };
    });
    this.components = this.components.filter((component) => !old.includes(component));
    for (const { members, carried } of moves) this.components.push({ members, order: carried });
    for (const { members, together } of moves) {
      const id = `v${this.#views++}`;
      const names = members.map(({ name }) => name);
      for (const member of members) member.received = 0;
      for (const member of members)
        this.#apply(
          member,
          member.state.view({ id, members: names, together: together.get(member) ?? [member.name] }),
        );
    }
  }

  /** All members of the part receive the same messages. Returns their own later ones, which arrive in the next view. */
  #agree({ order }: Component, part: readonly Node[]): Sent[] {
    const least = Math.max(...part.map(({ received }) => received));
    const until = least + Math.floor(this.random() * (order.length - least + 1));
    for (const node of part) for (const sent of order.slice(node.received, until)) this.#receive(node, sent);
    const names = part.map(({ name }) => name);
    return order.slice(until).filter(({ sender }) => names.includes(sender));
  }

  #of(node: Node): Component {
    const component = this.components.find(({ members }) => members.includes(node));
    if (component === undefined) throw new Error(`${node.name} is in no component`);
    return component;
  }
}
