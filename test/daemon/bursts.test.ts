import { describe, expect, it } from 'vitest';
import { encodeJoin, encodeLeave } from '../../server/src/spread/wire/index.js';
import { startEmbeddedDaemon } from '../support/daemons/embedded-daemon.js';
import { RawClient } from '../support/daemons/raw-client.js';
import { until } from '../support/until.js';

/** Far more than the limit of 1000 queued messages, from clients that write without a pause. */
describe.each(['tcp', 'unix'] as const)('bursts by %s', (transport) => {
  const wholeSize = (frame: Buffer, count: number) =>
    Buffer.concat(Array.from({ length: count }, () => frame));

  it.each([
    ['small messages', 20_000, 10],
    ['middling messages', 5000, 5000],
    ['large messages', 300, 140_000],
  ])('of %s reach a receiver that reads', async (_, count, size) => {
    const daemon = await startEmbeddedDaemon();
    const receiver = await RawClient.connect(daemon[transport]);
    receiver.join('g');
    await receiver.nextView();
    const sender = await RawClient.connect(daemon[transport]);
    const frame = Buffer.concat(sender.frame({ groups: ['g'], payload: Buffer.alloc(size) }));
    sender.send(wholeSize(frame, count));
    await until(() => receiver.received.length === count || receiver.stream.ended, { timeoutMs: 20_000 });
    expect(receiver.received).toHaveLength(count);
    expect(daemon.events.filter((event) => event.kind === 'session-cut')).toEqual([]);
  });

  it('of many senders at once reach receivers that read', async () => {
    const daemon = await startEmbeddedDaemon();
    const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(daemon[transport])));
    for (const client of clients.slice(0, 5)) client.join('g');
    await until(() => daemon.daemon.counters().memberships === 5);
    for (const client of clients)
      client.send(wholeSize(client.frame({ groups: ['g'], text: 'burst' })[0]!, 500));
    const regular = (client: RawClient) => client.received.filter((message) => message.kind === 'regular');
    for (const client of clients.slice(0, 5))
      await until(() => regular(client).length === 20 * 500 || client.stream.ended, { timeoutMs: 20_000 });
    expect(daemon.events.filter((event) => event.kind === 'session-cut')).toEqual([]);
    const [first, ...others] = clients.slice(0, 5).map((client) => regular(client).map((m) => m.sender));
    expect(first).toHaveLength(20 * 500);
    for (const other of others) expect(other).toEqual(first);
  });

  it('of joins and leaves produce all their views', async () => {
    const daemon = await startEmbeddedDaemon();
    const client = await RawClient.connect(daemon[transport]);
    const groups = Array.from({ length: 10_000 }, (_, i) => `g${i}`);
    client.send(Buffer.concat(groups.map((group) => encodeJoin(client.privateGroup, group))));
    client.send(Buffer.concat(groups.map((group) => encodeLeave(client.privateGroup, group))));
    await until(() => client.received.length === 20_000 || client.stream.ended, { timeoutMs: 20_000 });
    expect(client.received.map((message) => message.kind)).toEqual(
      Array.from({ length: 20_000 }, (_, i) => (i < 10_000 ? 'view' : 'selfLeave')),
    );
  });

  it('lead to the disconnect of a receiver that does not read', async () => {
    const { [transport]: where, events } = await startEmbeddedDaemon();
    const receiver = await RawClient.connect(where);
    receiver.join('g');
    await receiver.nextView();
    receiver.pauseReading();
    const sender = await RawClient.connect(where);
    sender.send(wholeSize(sender.frame({ groups: ['g'], payload: Buffer.alloc(5000) })[0]!, 4000));
    await until(() => events.some((event) => event.kind === 'session-cut'));
    expect(events.find((event) => event.kind === 'session-cut')).toMatchObject({
      privateGroup: receiver.privateGroup,
      reason: 'slow-reader',
    });
  });
});
