import { expect, it } from 'vitest';
import { everythingReceived, RawClient } from '../../support/daemons/raw-client.js';
import { buildFrame, type RawFrame } from '../../support/wire/frame-builder.js';
import { describeDaemons } from './subjects.js';

describeDaemons('endings', (bench) => {
  /** A member that observes, and a client whose end it must see. */
  async function watched(): Promise<{ watcher: RawClient; client: RawClient; group: string }> {
    const { connect, group } = bench();
    const [watcher, client] = [await connect('w'), await connect('c')];
    for (const member of [watcher, client]) {
      member.join(group('g'));
      await member.nextView();
    }
    await watcher.nextView();
    return { watcher, client, group: group('g') };
  }

  const seesTheEndOf = async (watcher: RawClient, client: RawClient) =>
    expect(await watcher.nextView()).toMatchObject({
      cause: 'DISCONNECT',
      members: [watcher.privateGroup],
      changed: [client.privateGroup],
    });

  const data = Buffer.from('x');
  it.each<[string, (own: string) => RawFrame]>([
    ['no service', () => ({ type: 0, data })],
    ['two services', () => ({ type: 0x03, data })],
    ['only SELF_DISCARD', () => ({ type: 0x40, data })],
    ['a join that is a message', () => ({ type: 0x10004, data })],
    ['a join that is a leave', () => ({ type: 0x30000 })],
    ['a goodbye that is a message', () => ({ type: 0x40020 })],
    ['only membership bits', () => ({ type: 0x1100, data })],
    ['only the reject bit', () => ({ type: 0x400000, data })],
    ['only the internal bit', () => ({ type: 0x80000, data })],
    ["another session's private group", () => ({ type: 0x02, privateGroup: '#other#localhost', data })],
    ['no private group', () => ({ type: 0x02, privateGroup: '', data })],
    [
      'the private group of another daemon',
      (own) => ({ type: 0x02, privateGroup: `${own.slice(0, -1)}~`, data }),
    ],
    ['-1 groups', () => ({ type: 0x02, numGroups: -1 })],
    ['101 groups', () => ({ type: 0x02, numGroups: 101 })],
    ['2^31-1 groups', () => ({ type: 0x02, numGroups: 0x7fffffff })],
    ['-1 bytes', () => ({ type: 0x02, dataLength: -1 })],
    ['a billion bytes', () => ({ type: 0x02, dataLength: 1_000_000_000 })],
    ['144,001 bytes', () => ({ type: 0x02, dataLength: 144_001 })],
    ['143,921 bytes and a group', () => ({ type: 0x02, numGroups: 1, dataLength: 143_921 })],
    ['a hint with other bits', () => ({ type: 0x02, hint: 0x80000081 })],
  ])('disconnects a client that sends %s', async (_, frameOf) => {
    const { watcher, client, group } = await watched();
    const { privateGroup } = client;
    client.send(buildFrame({ privateGroup, groups: [group], ...frameOf(privateGroup) }));
    await seesTheEndOf(watcher, client);
    await client.ended();
  });

  it.each<[string, Partial<RawFrame>]>([
    ['another group', { groups: ['whatever'] }],
    ['no group', { groups: [] }],
    ['data', { data: Buffer.from('abc') }],
  ])('accepts a disconnect message with %s', async (_, frame) => {
    const { watcher, client } = await watched();
    const { privateGroup } = client;
    client.send(buildFrame({ type: 0x40000, privateGroup, ...frame }));
    await client.ended();
    await seesTheEndOf(watcher, client);
  });

  it('discards an incomplete message', async () => {
    const { watcher, client, group } = await watched();
    const [whole] = client.frame({ groups: [group], text: 'not all of it' });
    await new Promise((resolve) => client.stream.socket.write(whole!.subarray(0, -3), resolve));
    client.abort();
    await seesTheEndOf(watcher, client);
    expect(await everythingReceived(watcher, watcher)).toEqual([[]]);
  });

  it('delivers all messages of a client that disconnects without reading its own copies', async ({
    skip,
  }) => {
    const { daemon, connect, group, privateName } = bench();
    const { unix } = daemon;
    if (!unix) return skip('the daemon is somewhere else');
    const watcher = await connect('w');
    watcher.join(group('g'));
    await watcher.nextView();
    const client = await RawClient.connect(unix, { name: privateName('c') });
    client.join(group('g'));
    await watcher.nextView();
    client.pauseReading();
    const [message] = client.frame({ groups: [group('g')], text: 'x'.repeat(100) });
    const { socket } = client.stream;
    await new Promise((resolve) =>
      socket.write(Buffer.concat(Array.from({ length: 900 }, () => message!)), resolve),
    );
    socket.destroy();
    for (let i = 0; i < 900; i++) await watcher.nextRegular();
    await seesTheEndOf(watcher, client);
  });

  it('disconnects a receiver that does not read, and no other', async () => {
    const { watcher, client: slow, group } = await watched();
    const sender = await bench().connect('s');
    slow.pauseReading();
    const payload = Buffer.alloc(30_000, 'x');
    let sent = 0;
    let isDisconnected = false;
    while (!isDisconnected) {
      // In small groups that all members read, so that the observer is never slow.
      for (let i = 0; i < 20; i++) sender.multicast({ groups: [group], payload });
      sent += 20;
      expect(sent).toBeLessThan(5000);
      const [got] = await everythingReceived(sender, watcher);
      isDisconnected = got!.some((message) => message.kind === 'view');
      expect(got!.filter((message) => message.kind === 'regular')).toHaveLength(20);
    }
    slow.resumeReading();
    await slow.ended();
    // The disconnect must not happen before a thousand messages were queued.
    expect(sent).toBeGreaterThan(1000);
  });
});
