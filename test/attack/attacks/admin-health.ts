import {
  callHeaders,
  FLAG,
  FRAME,
  frame,
  grpcMessage,
  PREFACE,
  settings,
  windowUpdate,
} from '../../support/network/http2-frames.js';
import type { Attack } from '../attack.js';
import { closed, keepConnections } from './connections.js';

/** Calls that one connection makes before the attacker opens another. */
const CALLS = 400;
const CHECK = callHeaders('/grpc.health.v1.Health/Check');
const WATCH = callHeaders('/grpc.health.v1.Health/Watch');
const MESSAGE = grpcMessage(Buffer.alloc(0));

export const adminHealth: Attack = {
  name: 'admin-health',
  text: 'gRPC health on the admin port: 50 connections, 400 calls at once on each, Check and Watch',
  seconds: { short: 3, full: 20 },
  bounds: { peakMiB: 250 },
  async run({ host, adminPort }, span) {
    const connections = await keepConnections(
      { host, port: adminPort },
      { count: 50, most: 5000 },
      span,
      async (socket) => {
        socket.resume();
        const frames = [PREFACE, settings(), windowUpdate(0, 2 ** 30)];
        for (let call = 0; call < CALLS; call++) {
          const stream = 2 * call + 1;
          const head = call % 2 === 0 ? CHECK : WATCH;
          frames.push(frame(FRAME.HEADERS, FLAG.END_HEADERS, stream, head));
          frames.push(frame(FRAME.DATA, FLAG.END_STREAM, stream, MESSAGE));
        }
        socket.write(Buffer.concat(frames));
        // Holds the calls for a while, then comes again.
        await Promise.race([closed(socket), new Promise((resolve) => setTimeout(resolve, 500))]);
      },
    );
    return { connections, calls: connections * CALLS };
  },
};
