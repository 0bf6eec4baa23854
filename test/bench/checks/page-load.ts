// The entry point of the thread with the mailboxes of `check page`: opens them, and sends to all of their groups until the end.
import { parentPort, workerData } from 'node:worker_threads';
import { SpreadSidecar } from 'spread-sidecar-client';
import { groupsOf, openMailboxes } from './many-mailboxes.js';
import { StampedLoad } from './stamped-load.js';

/** What the thread is started with. */
export interface PageLoadData {
  readonly target: string;
  readonly mailboxes: number;
  readonly channels: number;
  /** Messages per second to all groups together. */
  readonly rate: number;
  /** Unit: bytes. */
  readonly messageBytes: number;
}

const { target, mailboxes, channels, rate, messageBytes } = workerData as PageLoadData;
const clients = Array.from({ length: channels }, () => new SpreadSidecar({ target }));
const open = await openMailboxes(clients, mailboxes);
let events = 0;
for (const mailbox of open) void readAll(mailbox);
const groups = groupsOf(mailboxes);
for (const [i, group] of groups.entries())
  new StampedLoad(open[i]!.sender(), { group, messageBytes, pace: { rate: rate / groups.length } });

parentPort!.on('message', () => parentPort!.postMessage(events));
parentPort!.postMessage('ready');

async function readAll(mailbox: (typeof open)[number]): Promise<void> {
  for await (const event of mailbox) if (event.kind === 'regular') events += 1;
}
