import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { tcpListenOptions } from '../../../server/src/net/tcp-listen-options.js';

describe('a server that listens on all interfaces', () => {
  it('names no host, so that Node uses IPv4 if the kernel has no IPv6', () => {
    expect(tcpListenOptions('::', 4814, false)).toEqual({ port: 4814, ipv6Only: false });
  });

  it('keeps its address beside one for IPv4, and every other address', () => {
    expect(tcpListenOptions('::', 4814, true)).toEqual({ host: '::', port: 4814, ipv6Only: true });
    for (const host of ['0.0.0.0', '::1', '127.0.0.1', 'localhost'])
      expect(tcpListenOptions(host, 4814, false)).toEqual({ host, port: 4814, ipv6Only: false });
  });

  it.each(['127.0.0.1', '::1'])('accepts connections to %s', async (host) => {
    const server = createServer((socket) => socket.destroy()).listen(tcpListenOptions('::', 0, false));
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const client = connect((server.address() as AddressInfo).port, host);
    onTestFinished(() => void client.destroy());
    await once(client, 'connect');
  });
});
