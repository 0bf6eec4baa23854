import { once } from 'node:events';
import type { Attack } from '../attack.js';
import { MailboxCalls } from './mailbox-calls.js';
import { message, request } from './messages.js';

/** Mailboxes that get a copy of each message, each on a connection of its own. */
const RECEIVERS = 40;
const BATCH = 500;
/** Most batches of the run. */
const BATCHES = { short: 20, full: 3000 };
const GROUP = 'fan-out';
const AGREED = 5;

export const fanOutFlood: Attack = {
  name: 'fan-out-flood',
  text: `one sender floods a group of ${RECEIVERS} members, which read as fast as they can`,
  serve: { memoryMiB: 512 },
  seconds: { short: 5, full: 15 },
  bounds: { peakMiB: 512 },
  async run(target, span) {
    const lease = [7, message([1, 2])] as const;
    const receivers: MailboxCalls[] = [];
    let bytes = 0;
    for (let i = 0; i < RECEIVERS && !span.isOver; i++) {
      const calls = new MailboxCalls(target, span);
      receivers.push(calls);
      const id = await calls.connect(lease);
      if (id === undefined) continue;
      await calls.call('Join', request([1, id], [2, GROUP]));
      const stream = calls.open('Receive');
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      stream.end(request([1, id]));
    }
    const sender = new MailboxCalls(target, span);
    const id = await sender.connect(lease);
    let written = 0;
    if (id !== undefined) {
      const one = message([1, AGREED], [2, GROUP], [3, Buffer.alloc(100, 'x')]);
      const batch = request([2, message(...Array.from({ length: BATCH }, () => [1, one] as const))]);
      const stream = sender.open('MulticastStream');
      stream.resume();
      stream.write(request([1, message([1, id])]));
      while (written < BATCHES[span.short ? 'short' : 'full'] && !span.isOver && !stream.destroyed) {
        written++;
        if (!stream.write(batch))
          await Promise.race([once(stream, 'drain'), once(stream, 'close'), span.over]);
      }
    }
    for (const calls of [sender, ...receivers]) calls.close();
    return { messages: written * BATCH, 'bytes received': bytes };
  },
};
