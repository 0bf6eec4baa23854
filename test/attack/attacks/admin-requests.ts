import type { Attack } from '../attack.js';
import { closed, keepConnections } from './connections.js';

const LINES = ['GET /metrics', 'HEAD /metrics', 'GET /readyz?verbose', 'GET /nothing', 'POST /quitquitquit'];

export const adminRequests: Attack = {
  name: 'admin-requests',
  text: 'one request after the other to every page, GET, HEAD and POST, on 100 connections',
  seconds: { short: 3, full: 20 },
  bounds: { peakMiB: 200 },
  async run({ host, adminPort }, span) {
    let answers = 0;
    const connections = await keepConnections(
      { host, port: adminPort },
      { count: 100, most: 5000 },
      span,
      async (socket) => {
        let next = 0;
        const ask = () => {
          if (!span.isOver) socket.write(`${LINES[next++ % LINES.length]} HTTP/1.1\r\nhost: x\r\n\r\n`);
        };
        // An answer may come in several chunks; then more than one request is on its way, which is welcome here.
        socket.on('data', () => {
          answers++;
          ask();
        });
        ask();
        await closed(socket);
      },
    );
    return { connections, answers };
  },
};
