import { describe, expect, it } from 'vitest';
import type { MapMessage } from '../../../../clients/typescript/src/blocks/map-messages.js';
import { type Node, SimulatedNetwork, seededRandom } from './simulated-network.js';

const set = (key: string, value: string, id = 0): MapMessage => ({
  kind: 'set',
  id,
  key,
  value: Buffer.from(value),
});
const content = ({ state }: Node) =>
  Object.fromEntries([...state.entries].map(([key, value]) => [key, `${value}`]).sort());

/** Random changes, joins, crashes, and partitions if `isDivided`. */
function run(seed: number, steps: number, isDivided: boolean): SimulatedNetwork {
  const random = seededRandom(seed);
  const network = new SimulatedNetwork(random);
  network.join();
  for (let step = 0; step < steps; step++) {
    const component = network.pick(network.components);
    const node = network.pick(component.members);
    const choice = random();
    if (choice < 0.35) network.send(node, set(`k${Math.floor(random() * 40)}`, `${seed}-${step}`));
    else if (choice < 0.4)
      network.send(node, { kind: 'delete', id: step, key: `k${Math.floor(random() * 40)}` });
    else if (choice < 0.41) network.send(node, { kind: 'clear', id: step });
    else if (choice < 0.44 && network.nodes.length < 9) network.join(component);
    else if (choice < 0.46 && component.members.length > 1) network.crash(node);
    else if (choice < 0.48 && isDivided && component.members.length > 1) network.partition(component);
    else if (choice < 0.5 && network.components.length > 1) {
      const other = network.pick(network.components.filter((one) => one !== component));
      network.merge(component, other);
    } else if (choice < 0.7) network.transmit(node);
    else network.deliver(node);
  }
  return network;
}

function heal(network: SimulatedNetwork): void {
  while (network.components.length > 1) network.merge(network.components[0]!, network.components[1]!);
  network.settle();
}

describe('a replicated map', () => {
  it('begins empty at the first member', () => {
    const network = new SimulatedNetwork(seededRandom(1));
    const node = network.join();
    expect(node.state.isEstablished).toBe(true);
    expect(node.effects.at(-1)).toMatchObject({ hasSynced: true });
  });

  it('transfers the state to a new member, with changes of the view', () => {
    const network = new SimulatedNetwork(seededRandom(1));
    const first = network.join();
    network.send(first, set('a', '1'));
    network.settle();
    const second = network.join(network.components[0]);
    network.send(second, set('b', '2'));
    network.send(first, set('a', '3'));
    expect(second.state.isEstablished).toBe(false);
    network.settle();
    expect([content(first), content(second)]).toEqual([
      { a: '3', b: '2' },
      { a: '3', b: '2' },
    ]);
  });

  it('transfers entries that need several chunks', () => {
    const network = new SimulatedNetwork(seededRandom(1));
    const first = network.join();
    for (let at = 0; at < 50; at++) network.send(first, set(`k${at}`, 'x'.repeat(at * 1000)));
    network.settle();
    const second = network.join(network.components[0]);
    network.settle();
    expect(content(second)).toEqual(content(first));
  });

  it('starts again with the next member when the sender of the state dies', () => {
    const network = new SimulatedNetwork(seededRandom(1));
    const first = network.join();
    const second = network.join(network.components[0]);
    network.send(first, set('a', '1'));
    network.settle();
    const third = network.join(network.components[0]);
    // The beginning only.
    network.transmit(third);
    network.transmit(first);
    for (const node of [first, second, third]) while (network.deliver(node)) {}
    network.crash(first);
    network.settle();
    expect([content(second), content(third)]).toEqual([{ a: '1' }, { a: '1' }]);
  });

  it('keeps the entries of one side after a partition, and reports those of the other side', () => {
    const network = new SimulatedNetwork(seededRandom(1));
    const first = network.join();
    const second = network.join(network.components[0]);
    network.send(first, set('a', 'before'));
    network.settle();
    while (network.components.length === 1) network.partition(network.components[0]!);
    network.send(first, set('a', 'first'));
    network.send(second, set('a', 'second'));
    network.settle();
    heal(network);
    expect(content(first)).toEqual(content(second));
    const loser = content(first).a === 'first' ? second : first;
    const [replaced] = loser.effects.flatMap((effect) => effect.replaced ?? []);
    expect(`${replaced?.get('a')}`).toBe(loser === second ? 'second' : 'first');
  });

  it('does not let an empty side replace the entries of the other side', () => {
    for (let seed = 0; seed < 50; seed++) {
      const network = new SimulatedNetwork(seededRandom(seed));
      const first = network.join();
      network.send(first, set('a', '1'));
      network.settle();
      const second = network.join();
      const [one, two] = network.components;
      network.merge(
        ...((seed % 2 === 0 ? [one!, two!] : [two!, one!]) as [typeof one & {}, typeof two & {}]),
      );
      network.settle();
      expect([content(first), content(second)]).toEqual([{ a: '1' }, { a: '1' }]);
    }
  });

  it('is equal at all members after random joins, crashes and partitions', () => {
    for (let seed = 0; seed < 1000; seed++) {
      const network = run(seed, 300, true);
      heal(network);
      const [first, ...others] = network.nodes.map(content);
      expect(
        network.nodes.every(({ state }) => state.isEstablished),
        `seed ${seed}`,
      ).toBe(true);
      for (const other of others) expect(other, `seed ${seed}`).toEqual(first);
    }
  });

  it('loses no change of a group without partitions', () => {
    for (let seed = 0; seed < 300; seed++) {
      const network = run(seed, 200, false);
      network.settle();
      const [node] = network.nodes;
      for (let at = 0; at < 20; at++) network.send(network.pick(network.nodes), set(`last${at}`, `${at}`));
      const joined = network.join(network.components[0]);
      network.settle();
      for (let at = 0; at < 20; at++) expect(content(joined)[`last${at}`], `seed ${seed}`).toBe(`${at}`);
      expect(content(joined)).toEqual(content(node!));
    }
  });
});
