import type { Attack } from '../attack.js';
import { closed, keepConnections } from './connections.js';

/** What the connections send: nothing, half of a request, half of HTTP/2's preface, or a whole request. */
const BEGINNINGS = ['', 'GET /livez HTTP/1.1\r\n', 'PRI * HT', 'GET /livez HTTP/1.1\r\nhost: x\r\n\r\n'];

export const adminConnections: Attack = {
  name: 'admin-connections',
  text: '500 connections to the admin port that stay open and send little or nothing',
  seconds: { short: 3, full: 20 },
  bounds: { peakMiB: 200 },
  async run({ host, adminPort }, span) {
    let next = 0;
    const limits = { count: 500, most: 20_000 };
    const connections = await keepConnections({ host, port: adminPort }, limits, span, async (socket) => {
      socket.resume();
      socket.write(BEGINNINGS[next++ % BEGINNINGS.length] ?? '');
      await closed(socket);
    });
    return { connections };
  },
};
