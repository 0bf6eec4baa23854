import {
  callHeaders,
  FLAG,
  FRAME,
  frame,
  PREFACE,
  settings,
  windowUpdate,
} from '../../support/network/http2-frames.js';
import { ATTACKER_TOKEN, type Attack } from '../attack.js';
import { closed, keepConnections } from './connections.js';
import { MailboxCalls } from './mailbox-calls.js';
import { message, request } from './messages.js';

/** Calls that one connection makes before the attacker opens another. */
const CALLS = 400;
/** Requests of one reflection call. */
const QUESTIONS = 8;
/** Groups of the mailbox that GetMailbox describes: 33 bytes each in a response. */
const GROUPS = 50;
/** How long a connection leaves its responses unread. Unit: ms. */
const HOLD_MS = 2000;
/** SETTINGS_INITIAL_WINDOW_SIZE. */
const INITIAL_WINDOW = 4;
const LARGE = 2 ** 30;
const GET_MAILBOX = callHeaders('/spread.sidecar.v1.MailboxService/GetMailbox', [
  ['authorization', `Bearer ${ATTACKER_TOKEN}`],
]);
const REFLECTION = callHeaders('/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', [
  ['authorization', `Bearer ${ATTACKER_TOKEN}`],
]);
/** As large as the sidecar accepts: 4,096 bytes, most of them the host, which the response repeats. */
const QUESTION = request([4, 'spread.sidecar.v1.MailboxService'], [1, 'h'.repeat(4096 - 34 - 3)]);

export const unreadResponses: Attack = {
  name: 'unread-responses',
  text: 'reflection requests of 4 KiB and GetMailbox, 400 calls at once on 25 connections that read no response',
  // Without a limit for each client, the attacker can take all calls, and the sidecar rejects those of the well-behaved client.
  serve: { tokens: true, memoryMiB: 256, flags: ['--limits-max-calls-per-client', '60'] },
  seconds: { short: 20, full: 20 },
  bounds: { peakMiB: 256 },
  async run(target, span) {
    const calls = new MailboxCalls(target, span, { token: ATTACKER_TOKEN });
    const id = await calls.connect([7, message([1, 60])]);
    if (id === undefined) throw new Error('the sidecar refused the mailbox of the attacker');
    const groups = Array.from({ length: GROUPS }, (_, i) => `${i}`.padStart(31, 'g'));
    await Promise.all(groups.map((group) => calls.call('Join', request([1, id], [2, group]))));

    const getMailbox = request([1, id]);
    const packets: Buffer[] = [];
    // Without a window, responses stay in HTTP/2's streams; with a large one, they wait for the connection.
    for (const window of [0, LARGE])
      for (const reflection of [true, false]) {
        const frames = [PREFACE, settings({ [INITIAL_WINDOW]: window }), windowUpdate(0, LARGE)];
        for (let call = 0; call < CALLS; call++) {
          const stream = 2 * call + 1;
          frames.push(frame(FRAME.HEADERS, FLAG.END_HEADERS, stream, reflection ? REFLECTION : GET_MAILBOX));
          if (reflection)
            for (let i = 0; i < QUESTIONS; i++) frames.push(frame(FRAME.DATA, 0, stream, QUESTION));
          else frames.push(frame(FRAME.DATA, FLAG.END_STREAM, stream, getMailbox));
        }
        packets.push(Buffer.concat(frames));
      }
    let next = 0;
    const limits = { count: 25, most: span.short ? 50 : 1000 };
    const connections = await keepConnections(
      { host: target.host, port: target.grpcPort },
      limits,
      span,
      async (socket) => {
        socket.pause();
        socket.write(packets[next++ % packets.length] as Buffer);
        await Promise.race([closed(socket), new Promise((resolve) => setTimeout(resolve, HOLD_MS))]);
      },
    );
    calls.close();
    return { connections, 'calls sent at most': connections * CALLS };
  },
};
