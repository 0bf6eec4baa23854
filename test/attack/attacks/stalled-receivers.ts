import { once } from 'node:events';
import type { ClientHttp2Stream } from 'node:http2';
import type { Attack, Span } from '../attack.js';
import { MailboxCalls } from './mailbox-calls.js';
import { message, request } from './messages.js';

/** Mailboxes whose receivers stall, in one round. */
const MAILBOXES = 3;
/** Messages of one batch. */
const BATCH = 1000;
/** Batches of one round, of which every mailbox gets a copy. */
const BATCHES = { short: 20, full: 100 };
/** Each round ends with Disconnect while every Receive is stalled. */
const ROUNDS = { short: 4, full: 12 };
/** Lease of the attacker's mailboxes. Unit: seconds. */
const LEASE_S = 2;
/** Longest that a round waits for the sidecar to take its messages: it stops taking them when its queues are full. Unit: ms. */
const SEND_MS = 2000;
const GROUP = 'stalled';
const AGREED = 5;
const EXPLICIT = 2;
/** Payloads of the rounds in turn. Tiny events cost most beside their bytes. Unit: bytes. */
const PAYLOADS = [0, 1, 1024];

export const stalledReceivers: Attack = {
  name: 'stalled-receivers',
  text: 'floods to mailboxes that stall or never acknowledge, and Disconnect while they stall, again and again',
  serve: { memoryMiB: 256 },
  seconds: { short: 40, full: 90 },
  bounds: { peakMiB: 256 },
  async run(target, span) {
    const form = span.short ? 'short' : 'full';
    const lease = [7, message([1, LEASE_S])] as const;
    const calls = new MailboxCalls(target, span);
    // No byte of a response leaves the sidecar here.
    const stalled = new MailboxCalls(target, span, { initialWindow: 0 });
    // Here a stream gets its events and acknowledges none; the rest waits.
    const unacknowledged = new MailboxCalls(target, span);
    let [opened, refused, batches, rounds] = [0, 0, 0, 0];
    for (; rounds < ROUNDS[form] && !span.isOver; rounds++) {
      const ids: string[] = [];
      for (let i = 0; i < MAILBOXES; i++) {
        const explicit = i % 2 === 0;
        const id = await calls.connect(lease, ...(explicit ? [[10, EXPLICIT] as const] : []));
        if (id === undefined) {
          refused++;
          continue;
        }
        opened++;
        ids.push(id);
        await calls.call('Join', request([1, id], [2, GROUP], [3, 1]));
        const receive = (i === 0 ? unacknowledged : stalled).open('Receive');
        receive.end(request([1, id]));
        if (i === 0) receive.resume();
        else receive.pause();
      }
      const sender = await calls.connect(lease);
      if (sender === undefined) refused++;
      else {
        const payload = Buffer.alloc(PAYLOADS[rounds % PAYLOADS.length] ?? 0, 'x');
        const stream = calls.open('MulticastStream');
        batches += await flood(stream, sender, payload, BATCHES[form], span);
        stream.close();
        ids.push(sender);
      }
      // Every Receive stays open, and stalled.
      for (const id of ids) await calls.call('Disconnect', request([1, id]));
    }
    // The sidecar frees the mailboxes after one lease period, while the receivers still stall.
    let recovered = false;
    while (!recovered && !span.isOver) {
      const id = await calls.connect(lease);
      recovered = id !== undefined;
      if (id !== undefined) await calls.call('Disconnect', request([1, id]));
      else await new Promise((resolve) => setTimeout(resolve, 100));
    }
    for (const connection of [calls, stalled, unacknowledged]) connection.close();
    if (!recovered) throw new Error('the sidecar still refuses Connect after the attack');
    return { rounds, mailboxes: opened, refused, messages: batches * BATCH };
  },
};

/** Sends batches as the sidecar takes them, for a bounded time. @returns the number of batches written */
async function flood(
  stream: ClientHttp2Stream,
  id: string,
  payload: Buffer,
  most: number,
  span: Span,
): Promise<number> {
  const one = message([1, AGREED], [2, GROUP], [3, payload], [5, 1]);
  const batch = request([2, message(...Array.from({ length: BATCH }, () => [1, one] as const))]);
  const signal = AbortSignal.timeout(SEND_MS);
  stream.resume();
  stream.write(request([1, message([1, id])]));
  let written = 0;
  try {
    while (written < most && !span.isOver && !stream.destroyed) {
      written++;
      if (!stream.write(batch)) await once(stream, 'drain', { signal });
    }
  } catch {
    // The sidecar stopped taking batches, or ended the call.
  }
  return written;
}
