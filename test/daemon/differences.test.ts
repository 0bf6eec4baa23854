import { describe, expect, it } from 'vitest';
import { encodeAuthChoice, encodeConnectRequest } from '../../server/src/spread/wire/index.js';
import { ByteStream } from '../support/daemons/byte-stream.js';
import { startEmbeddedDaemon } from '../support/daemons/embedded-daemon.js';
import { everythingReceived, RawClient } from '../support/daemons/raw-client.js';
import { until } from '../support/until.js';
import { buildFrame } from '../support/wire/frame-builder.js';

/** The differences that docs/embedded-daemon.md states, beyond those in the transcripts. */
describe('the embedded daemon, in contrast to real Spread', () => {
  it('ignores joins and leaves without a group name', async () => {
    const { tcp } = await startEmbeddedDaemon();
    const a = await RawClient.connect(tcp, { name: 'a' });
    a.send(buildFrame({ type: 0x10000, privateGroup: a.privateGroup }));
    a.send(buildFrame({ type: 0x20000, privateGroup: a.privateGroup }));
    expect(await everythingReceived(a, a)).toEqual([[]]);
  });

  it('joins a name of 32 bytes that is followed by data', async () => {
    const { tcp } = await startEmbeddedDaemon();
    const a = await RawClient.connect(tcp, { name: 'a' });
    const group = 'B'.repeat(32);
    const join = {
      type: 0x10000,
      privateGroup: a.privateGroup,
      groups: [group],
      data: Buffer.from('behind'),
    };
    a.send(buildFrame(join));
    expect(await a.nextView()).toMatchObject({ group, members: [a.privateGroup] });
    a.send(buildFrame({ type: 0x02, privateGroup: a.privateGroup, groups: [group] }));
    expect(await a.nextRegular()).toMatchObject({ groups: [group] });
  });

  it.each([
    ['a join with the reject bit', 0x410000],
    ['a leave with the bit between daemons', 0xa0000],
  ])('disconnects a client that sends %s, and no other', async (_, type) => {
    const { tcp, events } = await startEmbeddedDaemon();
    const [a, b] = [await RawClient.connect(tcp, { name: 'a' }), await RawClient.connect(tcp, { name: 'b' })];
    a.send(buildFrame({ type, privateGroup: a.privateGroup, groups: ['g'] }));
    await a.ended();
    expect(await everythingReceived(b, b)).toEqual([[]]);
    expect(events.at(-1)).toMatchObject({
      kind: 'session-cut',
      reason: 'illegal-message',
      message: expect.stringContaining('type 0x'),
    });
  });

  it('serves others while a client sends nothing', async () => {
    const { tcp } = await startEmbeddedDaemon();
    const silent = await ByteStream.connect(tcp);
    await RawClient.connect(tcp);
    expect(silent.ended).toBe(false);
  });

  describe('in the handshake', () => {
    const request = encodeConnectRequest({ name: 'slow', membership: true, priority: 0 });
    const timing = { handshakeTimeoutMs: 60 };

    it('waits longer for the choice of methods, but not forever', async () => {
      const { tcp, events } = await startEmbeddedDaemon(timing);
      const stream = await ByteStream.connect(tcp);
      const since = performance.now();
      stream.write(request);
      await stream.read(6);
      await stream.end();
      expect(performance.now() - since).toBeGreaterThan(500);
      expect(events).toMatchObject([{ kind: 'client-abandoned' }]);
      // The name is free again.
      await RawClient.connect(tcp, { name: 'slow' });
    });

    it('disconnects a client that sends only single bytes from time to time', async () => {
      const { tcp } = await startEmbeddedDaemon(timing);
      const stream = await ByteStream.connect(tcp);
      const since = performance.now();
      stream.write(request);
      await stream.read(6);
      const choice = encodeAuthChoice(['NULL']);
      for (let i = 0; i < 88 && stream.available === 0 && !stream.ended; i++) {
        stream.write(choice.subarray(i, i + 1));
        await until(() => stream.available > 0 || performance.now() > since + (i + 1) * 30);
      }
      expect((await stream.read(1)).readInt8(0)).toBe(-9);
      expect(performance.now() - since).toBeLessThan(2000);
    });
  });

  it('sends everything to a disconnected client before the end of the stream, even if the client still sends', async () => {
    const { tcp } = await startEmbeddedDaemon();
    const a = await RawClient.connect(tcp, { name: 'a' });
    const own = { privateGroup: a.privateGroup, groups: [a.privateGroup] };
    a.send(
      Buffer.concat([
        ...Array.from({ length: 100 }, () => buildFrame({ type: 0x02, ...own, data: Buffer.alloc(1000) })),
        buildFrame({ type: 0, ...own }),
        Buffer.alloc(1_000_000),
      ]),
    );
    await a.ended();
    expect(a.received).toHaveLength(100);
    expect(a.stream.error).toBeUndefined();
  });

  it('frees a name as soon as the connection has ended', async () => {
    const { tcp, daemon } = await startEmbeddedDaemon();
    for (let i = 0; i < 50; i++) {
      const client = await RawClient.connect(tcp, { name: 'again' });
      client.abort();
      await until(() => daemon.counters().sessions === 0);
    }
  });

  it('can be stopped twice', async () => {
    const { tcp, daemon } = await startEmbeddedDaemon();
    const client = await RawClient.connect(tcp);
    await Promise.all([daemon.close(), daemon.close(), client.ended()]);
    await daemon.close();
    expect(daemon.counters()).toMatchObject({ connections: 0, sessions: 0 });
  });

  it.each([
    ['a name with a blank', { name: 'a b' }, /illegal byte 0x20/],
    ['a name of 20 bytes', { name: 'x'.repeat(20) }, /1 to 19 bytes/],
    ['no messages', { maxSessionMessages: 0 }, /maxSessionMessages is 0; it must be at least 1/],
    ['no sessions', { maxSessions: Number.NaN }, /maxSessions is NaN/],
  ])('does not start with %s', async (_, options, message) => {
    await expect(startEmbeddedDaemon(options)).rejects.toThrow(message);
  });
});
