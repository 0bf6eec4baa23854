import type { Attack } from '../attack.js';
import { closed, keepConnections } from './connections.js';

const CHUNK = Buffer.concat([Buffer.from('4000\r\n'), Buffer.alloc(0x4000, 'x'), Buffer.from('\r\n')]);
const HEADS = [
  'POST /metrics HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n',
  'GET /metrics HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n',
];

export const adminBodies: Attack = {
  name: 'admin-bodies',
  text: 'requests with endless chunked bodies, on 50 connections',
  seconds: { short: 3, full: 20 },
  bounds: { peakMiB: 200 },
  async run({ host, adminPort }, span) {
    let bytes = 0;
    let next = 0;
    const connections = await keepConnections(
      { host, port: adminPort },
      { count: 50, most: 20_000 },
      span,
      async (socket) => {
        socket.resume();
        const send = () => {
          while (!span.isOver && !socket.destroyed) {
            bytes += CHUNK.length;
            if (!socket.write(CHUNK)) return;
          }
        };
        socket.on('drain', send);
        socket.write(HEADS[next++ % HEADS.length] ?? '');
        send();
        await closed(socket);
      },
    );
    return { connections, 'MiB written': bytes / 2 ** 20 };
  },
};
