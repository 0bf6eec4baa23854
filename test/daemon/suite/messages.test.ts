import { expect, it } from 'vitest';
import type { RegularMessage, ServiceTypeName } from '../../../server/src/spread/wire/index.js';
import { everythingReceived, type RawClient } from '../../support/daemons/raw-client.js';
import { buildFrame } from '../../support/wire/frame-builder.js';
import { type Bench, describeDaemons } from './subjects.js';

const services: ServiceTypeName[] = ['UNRELIABLE', 'RELIABLE', 'FIFO', 'CAUSAL', 'AGREED', 'SAFE'];

/** Clients that are all in `group` and have received their views. */
async function members({ connect }: Bench, group: string, ...names: string[]): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  for (const name of names) {
    const client = await connect(name);
    client.join(group);
    clients.push(client);
    await Promise.all(clients.map((member) => member.nextView()));
  }
  return clients;
}

const texts = (messages: readonly unknown[]) =>
  (messages as RegularMessage[]).map((message) => message.payload.toString('latin1'));

describeDaemons('messages', (bench) => {
  it.each(services)('delivers %s unchanged to the sender and the other members', async (serviceType) => {
    const here = bench();
    const g = here.group('g');
    const [a, b] = (await members(here, g, 'a', 'b')) as [RawClient, RawClient];
    a.multicast({ groups: [g], text: 'hello', serviceType, messageType: -2 });
    const expected = {
      kind: 'regular',
      sender: a.privateGroup,
      groups: [g],
      serviceType,
      selfDiscard: false,
      messageType: -2,
      endianMismatch: false,
    };
    for (const client of [a, b]) expect(await client.nextRegular()).toMatchObject(expected);
  });

  it("delivers the same order to all members, and each sender's own order", async () => {
    const here = bench();
    const g = here.group('g');
    const clients = await members(here, g, 'a', 'b', 'c', 'd');
    const each = 50;
    for (let i = 0; i < each; i++)
      for (const client of clients)
        client.multicast({
          groups: [g],
          text: `${client.privateGroup} ${i}`,
          serviceType: i % 2 ? 'AGREED' : 'SAFE',
        });
    const received = await Promise.all(
      clients.map(async (client) => {
        const got: string[] = [];
        while (got.length < each * clients.length)
          got.push((await client.nextRegular()).payload.toString('latin1'));
        return got;
      }),
    );
    for (const got of received) expect(got).toEqual(received[0]);
    for (const { privateGroup } of clients)
      expect(received[0]!.filter((text) => text.startsWith(`${privateGroup} `))).toEqual(
        Array.from({ length: each }, (_, i) => `${privateGroup} ${i}`),
      );
  });

  it('does not deliver a message with self-discard to its sender', async () => {
    const here = bench();
    const g = here.group('g');
    const [a, b] = (await members(here, g, 'a', 'b')) as [RawClient, RawClient];
    a.multicast({ groups: [g], text: '1', selfDiscard: true });
    a.multicast({ groups: [a.privateGroup], text: '2', selfDiscard: true });
    a.multicast({ groups: [g, a.privateGroup, b.privateGroup], text: '3', selfDiscard: true });
    const [atA, atB] = await everythingReceived(a, a, b);
    expect(atA).toEqual([]);
    expect(texts(atB!)).toEqual(['1', '3']);
    expect(atB).toMatchObject([{ selfDiscard: true }, { selfDiscard: true }]);
  });

  it('delivers one copy to each receiver of several groups, with the whole list of groups', async () => {
    const here = bench();
    const { connect, group } = here;
    const [g1, g2] = [group('g1'), group('g2')];
    const [b, c] = (await members(here, g1, 'b', 'c')) as [RawClient, RawClient];
    b.join(g2);
    await b.nextView();
    const a = await connect('a');
    const groups = [group('nobody'), g2, g1, g1, b.privateGroup, `#nobody${b.privateGroup.slice(-10)}`];
    a.multicast({ groups, text: 'once' });
    const [atA, atB, atC] = await everythingReceived(a, a, b, c);
    expect(atA).toEqual([]);
    expect(atB).toMatchObject([{ groups }]);
    expect(atC).toMatchObject([{ groups }]);
  });

  it('delivers to a session by its private group, with and without membership messages', async () => {
    const { connect } = bench();
    const [a, z] = [await connect('a'), await connect('z', { membership: false })];
    a.multicast({ groups: [z.privateGroup], text: 'hello', messageType: 7 });
    a.multicast({ groups: [a.privateGroup], text: 'me' });
    expect(await z.nextRegular()).toMatchObject({ sender: a.privateGroup, messageType: 7 });
    expect(await a.nextRegular()).toMatchObject({ groups: [a.privateGroup] });
  });

  it('accepts messages from a client that is not a member, and does not deliver them to it', async () => {
    const here = bench();
    const [b] = (await members(here, here.group('g'), 'b')) as [RawClient];
    const a = await here.connect('a');
    a.multicast({ groups: [here.group('g')], text: 'from outside' });
    const [atA, atB] = await everythingReceived(a, a, b);
    expect(atA).toEqual([]);
    expect(texts(atB!)).toEqual(['from outside']);
  });

  it('ignores messages without receivers', async () => {
    const { connect, group } = bench();
    const a = await connect('a');
    const { privateGroup } = a;
    for (const name of [group('nobody'), '#nobody#localhost', `${privateGroup}x`, '#', '##', '#b', '#b#', ''])
      a.send(buildFrame({ type: 0x04, privateGroup, groups: [name], data: Buffer.from('x') }));
    a.send(buildFrame({ type: 0x04, privateGroup, data: Buffer.from('no group at all') }));
    expect(await everythingReceived(a, a)).toEqual([[]]);
  });

  it('carries 43 groups', async () => {
    const here = bench();
    const g = here.group('g');
    const [b] = (await members(here, g, 'b')) as [RawClient];
    const groups = [...Array.from({ length: 42 }, (_, i) => here.group(`x${i}`)), g];
    b.multicast({ groups, text: 'last of 43' });
    expect(await b.nextRegular()).toMatchObject({ groups });
  });

  it.each([
    ['nothing', 0],
    ['one byte', 1],
    ['100,000 bytes', 100_000],
    ['the 143,119 bytes that are the most for one group', 143_119],
  ])('carries %s', async (_, length) => {
    const here = bench();
    const g = here.group('g');
    const [a, b] = (await members(here, g, 'a', 'b')) as [RawClient, RawClient];
    const payload = Buffer.from(Array.from({ length }, (_, i) => (i * 7) % 251));
    a.multicast({ groups: [g], payload });
    for (const client of [a, b]) expect((await client.nextRegular()).payload.equals(payload)).toBe(true);
  });

  it.each([0, 1, 255, 256, 32_767, -1, -32_768])('carries message type %i', async (messageType) => {
    const a = await bench().connect('a');
    a.multicast({ groups: [a.privateGroup], messageType });
    expect(await a.nextRegular()).toMatchObject({ messageType });
  });

  it('reads messages of a client with the other byte order, and does not convert its hint', async () => {
    const here = bench();
    const g = here.group('g');
    const [b] = (await members(here, g, 'b')) as [RawClient];
    const a = await here.connect('a');
    const { privateGroup } = a;
    a.send(buildFrame({ type: 0x10000, privateGroup, groups: [g], bigEndian: true }));
    expect(await a.nextView()).toEqual(await b.nextView());
    a.send(
      buildFrame({
        type: 0x10,
        privateGroup,
        groups: [g],
        messageType: -2,
        data: Buffer.from('x'),
        bigEndian: true,
      }),
    );
    for (const client of [a, b])
      expect(await client.nextRegular()).toMatchObject({
        serviceType: 'AGREED',
        messageType: -2,
        endianMismatch: true,
      });
    a.send(buildFrame({ type: 0x20000, privateGroup, groups: [g], bigEndian: true }));
    expect(await a.next()).toMatchObject({ kind: 'selfLeave' });
    a.send(buildFrame({ type: 0x40000, privateGroup, groups: [privateGroup], bigEndian: true }));
    await a.ended();
  });

  it('relays the bits 24 to 30 of the type, which the flush library needs', async () => {
    const a = await bench().connect('a');
    const { privateGroup } = a;
    for (const bits of [0x01000000, 0x02000000, 0x10000000, 0x20000000, 0x40000000, 0x7f000000]) {
      a.send(buildFrame({ type: 0x02 | bits, privateGroup, groups: [privateGroup] }));
      expect(await a.nextRegular()).toMatchObject({ rawType: 0x02 | bits });
    }
  });

  it('delivers messages before a disconnect message, and none after it', async () => {
    const here = bench();
    const g = here.group('g');
    const [b] = (await members(here, g, 'b')) as [RawClient];
    const a = await here.connect('a');
    const { privateGroup } = a;
    const message = (text: string) =>
      buildFrame({ type: 0x10, privateGroup, groups: [g], data: Buffer.from(text) });
    const kill = buildFrame({ type: 0x40000, privateGroup, groups: [privateGroup] });
    a.send(Buffer.concat([message('1'), message('2'), kill, message('3')]));
    await a.ended();
    const other = await here.connect('o');
    const [got] = await everythingReceived(other, b);
    expect(texts(got!)).toEqual(['1', '2']);
  });

  it('reads frames that arrive in any pieces', async () => {
    const here = bench();
    const g = here.group('g');
    const [a] = (await members(here, g, 'a')) as [RawClient];
    const bytes = Buffer.concat(a.frame({ groups: [g], text: 'byte by byte' }));
    for (const byte of bytes)
      await new Promise((resolve) => a.stream.socket.write(Buffer.from([byte]), resolve));
    expect(texts([await a.nextRegular()])).toEqual(['byte by byte']);
  });
});
