import {
  callHeaders,
  FLAG,
  FRAME,
  frame,
  grpcMessage,
  PREFACE,
  settings,
} from '../../support/network/http2-frames.js';
import type { Attack } from '../attack.js';
import { closed, keepConnections } from './connections.js';

/** Calls that one connection makes before the attacker opens another. */
const CALLS = 4000;
/** How long a connection holds its calls when the sidecar does not close it. Unit: ms. */
const HOLD_MS = 1000;
const PATH = '/spread.sidecar.v1.MailboxService/GetVersion';
const WITHOUT_TOKEN = callHeaders(PATH);
const WITH_INVALID_TOKEN = callHeaders(PATH, [['authorization', 'Bearer not-a-token-of-this-sidecar']]);
const MESSAGE = grpcMessage(Buffer.alloc(0));

export const unauthenticatedCalls: Attack = {
  name: 'unauthenticated-calls',
  text: 'GetVersion without a valid token: 25 connections, 4,000 calls at once on each; half of them read nothing',
  serve: { tokens: true, memoryMiB: 256 },
  seconds: { short: 20, full: 20 },
  bounds: { peakMiB: 256 },
  async run({ host, grpcPort }, span) {
    const packets = [WITHOUT_TOKEN, WITH_INVALID_TOKEN].map((head) => {
      const frames = [PREFACE, settings()];
      for (let call = 0; call < CALLS; call++) {
        frames.push(frame(FRAME.HEADERS, FLAG.END_HEADERS, 2 * call + 1, head));
        frames.push(frame(FRAME.DATA, FLAG.END_STREAM, 2 * call + 1, MESSAGE));
      }
      return Buffer.concat(frames);
    });
    let next = 0;
    const limits = { count: 25, most: span.short ? 50 : 2000 };
    const connections = await keepConnections({ host, port: grpcPort }, limits, span, async (socket) => {
      const turn = next++;
      if (turn % 4 < 2) socket.resume();
      else socket.pause();
      socket.write(packets[turn % packets.length] as Buffer);
      await Promise.race([closed(socket), new Promise((resolve) => setTimeout(resolve, HOLD_MS))]);
    });
    return { connections, 'calls sent at most': connections * CALLS };
  },
};
