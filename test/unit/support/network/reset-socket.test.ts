import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { resetSocket } from '../../../support/network/reset-socket.js';

it.each(['open', 'just ended'])('closes a connection that is %s, at both ends', async (state) => {
  const server = createServer({ allowHalfOpen: true });
  onTestFinished(() => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [other] = (await accepted) as [Socket];
  other.on('error', () => {});
  other.on('end', () => other.end());
  other.resume();
  const closed = (one: Socket) => new Promise((resolve) => one.once('close', resolve));
  const bothClosed = Promise.all([closed(socket), closed(other)]);
  if (state === 'just ended') socket.end();
  await new Promise<void>((resolve) => process.nextTick(resolve));
  resetSocket(socket);
  await bothClosed;
  // Nothing keeps the server open.
  await new Promise((resolve) => server.close(resolve));
  expect(socket.destroyed).toBe(true);
});
