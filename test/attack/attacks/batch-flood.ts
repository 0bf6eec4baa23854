import { once } from 'node:events';
import type { Attack, Span } from '../attack.js';
import { MailboxCalls } from './mailbox-calls.js';
import { message, request } from './messages.js';

const CONNECTIONS = 50;
/** Messages of one batch: the largest number that the sidecar takes. */
const BATCH = 10_000;
/** Most batches of one connection. */
const BATCHES = { short: 10, full: 2000 };
const AGREED = 5;

export const batchFlood: Attack = {
  name: 'batch-flood',
  text: `MulticastStream on ${CONNECTIONS} connections, batches of ${BATCH} small messages, as fast as the sidecar takes them`,
  serve: { memoryMiB: 512 },
  seconds: { short: 5, full: 15 },
  bounds: { peakMiB: 512 },
  async run(target, span) {
    const most = BATCHES[span.short ? 'short' : 'full'];
    const one = message([1, AGREED], [2, 'flood'], [3, 'x']);
    const batch = request([2, message(...Array.from({ length: BATCH }, () => [1, one] as const))]);
    const counts = await Promise.all(
      Array.from({ length: CONNECTIONS }, () => flood(new MailboxCalls(target, span), batch, most, span)),
    );
    const batches = counts.reduce((sum, count) => sum + count, 0);
    return { batches, messages: batches * BATCH };
  },
};

/** @returns the number of batches written */
async function flood(calls: MailboxCalls, batch: Buffer, most: number, span: Span): Promise<number> {
  let written = 0;
  const id = await calls.connect([7, message([1, 2])]);
  if (id !== undefined) {
    const stream = calls.open('MulticastStream');
    stream.resume();
    stream.write(request([1, message([1, id])]));
    while (written < most && !span.isOver && !stream.destroyed) {
      written++;
      if (!stream.write(batch)) await Promise.race([once(stream, 'drain'), once(stream, 'close'), span.over]);
    }
  }
  calls.close();
  return written;
}
