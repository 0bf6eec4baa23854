import type { Attack } from '../attack.js';
import { closed, keepConnections } from './connections.js';

const REQUESTS = 'GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(200);

export const adminSlowReaders: Attack = {
  name: 'admin-slow-readers',
  text: '150 connections that ask for /metrics again and again and read no answer',
  seconds: { short: 3, full: 20 },
  bounds: { peakMiB: 200 },
  async run({ host, adminPort }, span) {
    const connections = await keepConnections(
      { host, port: adminPort },
      { count: 150, most: 5000 },
      span,
      async (socket) => {
        socket.pause();
        socket.write(REQUESTS);
        await closed(socket);
      },
    );
    return { connections };
  },
};
