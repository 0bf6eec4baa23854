import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { memoryLink } from '../../../server/src/net/memory-link.js';
import { until } from '../../support/until.js';

/** The data that an end reads from now on. */
function collect(end: Duplex): { text: string; ended: boolean; closed: boolean } {
  const read = { text: '', ended: false, closed: false };
  end.on('data', (chunk: Buffer) => {
    read.text += chunk.toString();
  });
  end.on('end', () => {
    read.ended = true;
  });
  end.on('close', () => {
    read.closed = true;
  });
  return read;
}

describe('memoryLink', () => {
  it('transfers bytes in order in both directions, single and corked', async () => {
    const [client, server] = memoryLink();
    const atServer = collect(server);
    const atClient = collect(client);
    client.write('a');
    client.cork();
    for (const letter of 'bcd') client.write(letter);
    client.uncork();
    client.write('e');
    server.write('x');
    server.write('y');
    await until(() => atServer.text.length === 5 && atClient.text.length === 2, { what: 'all bytes arrive' });
    expect([atServer.text, atClient.text]).toEqual(['abcde', 'xy']);
  });

  it('does not run the reader inside of the write', async () => {
    const [client, server] = memoryLink();
    const read = collect(server);
    // The end reads only from the next turn on.
    await new Promise((resolve) => setImmediate(resolve));
    client.write('a');
    expect(read.text).toBe('');
  });

  it('passes the written memory on without a copy', async () => {
    const [client, server] = memoryLink();
    const written = Buffer.from('payload');
    client.write(written);
    const [read] = await once(server, 'data');
    expect(read).toBe(written);
  });

  it('applies backpressure to a writer whose peer does not read, until the peer reads', async () => {
    const [client, server] = memoryLink(1000);
    const chunk = Buffer.alloc(64 * 1024);
    let written = 0;
    for (let turn = 0; turn < 50; turn++) {
      if (!client.writableNeedDrain) {
        client.write(chunk);
        written++;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(written).toBeLessThan(8);
    expect(client.writableNeedDrain).toBe(true);
    let bytes = 0;
    server.on('data', (data: Buffer) => {
      bytes += data.length;
    });
    await once(client, 'drain');
    client.write(chunk);
    await until(() => bytes === (written + 1) * chunk.length, { what: 'all bytes arrive' });
  });

  it('ends the stream of the peer after the written data, and both ends close', async () => {
    const [client, server] = memoryLink();
    const atServer = collect(server);
    const atClient = collect(client);
    client.end('goodbye');
    await until(() => atServer.ended, { what: 'the end arrives' });
    expect(atServer).toEqual({ text: 'goodbye', ended: true, closed: false });
    server.end('last words');
    await until(() => atServer.closed && atClient.closed, { what: 'both ends close' });
    expect(atClient.text).toBe('last words');
  });

  it.each(['client', 'server'] as const)(
    'shows the peer an end of stream when the %s is destroyed',
    async (who) => {
      const ends = memoryLink();
      const [gone, peer] = who === 'client' ? ends : [ends[1], ends[0]];
      const read = collect(peer);
      gone.write('before');
      await until(() => read.text === 'before', { what: 'the bytes arrive' });
      gone.destroy();
      await until(() => read.ended, { what: 'the end arrives' });
      // The write does not fail: its data is discarded.
      const taken = new Promise((resolve) => peer.write('into the void', resolve));
      if (who === 'client') expect(await taken).toBeFalsy();
      peer.destroy();
      await until(() => read.closed, { what: 'the peer closes' });
    },
  );

  it('completes the write of a peer that waits for room when the end is destroyed', async () => {
    const [client, server] = memoryLink(1000);
    const done: unknown[] = [];
    for (let i = 0; i < 10; i++) client.write(Buffer.alloc(64 * 1024), (error) => done.push(error));
    await new Promise((resolve) => setImmediate(resolve));
    server.destroy();
    await until(() => done.length === 10, { what: 'all writes complete' });
  });
});
