import type { Attack } from '../attack.js';
import { closed, keepConnections } from './connections.js';

const REQUEST = Buffer.from('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n');
/** As many as fit in one read of 64 KiB. */
const REQUESTS = 1900;

export const adminPipelining: Attack = {
  name: 'admin-pipelining',
  text: 'packets of 1,900 pipelined GET /metrics to the admin port, on 20 connections',
  seconds: { short: 3, full: 20 },
  bounds: { peakMiB: 200 },
  async run({ host, adminPort }, span) {
    const packet = Buffer.concat(Array.from({ length: REQUESTS }, () => REQUEST));
    let bytes = 0;
    const connections = await keepConnections(
      { host, port: adminPort },
      { count: 20, most: 2000 },
      span,
      async (socket) => {
        socket.on('data', (chunk) => {
          bytes += chunk.length;
        });
        socket.write(packet);
        await closed(socket);
      },
    );
    return { connections, 'MiB received': bytes / 2 ** 20 };
  },
};
