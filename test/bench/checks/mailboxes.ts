import { AGREED_MESS, SpreadSidecar } from 'spread-sidecar-client';
import { within } from '../../support/until.js';
import { memoryMiB } from '../process-meter.js';
import { type ProcessReport, reporting, reportOf } from '../servers/process-report.js';
import type { Check } from './check.js';
import { groupsOf, openMailboxes } from './many-mailboxes.js';
import { metricOf } from './metrics.js';

const BOUND_MIB = 256;
const ALL_MS = 60_000;

const MIB = 1024 * 1024;

/** Many mailboxes, each with its Receive stream. All connect, and all receive one message to all groups. */
export const mailboxes: Check<'count' | 'channels'> = {
  id: 'mailboxes',
  text: `concurrent mailboxes and Receive streams: all get a message to all groups, RSS of the sidecar at most ${BOUND_MIB} MiB`,
  options: {
    count: { text: 'number of mailboxes', default: 1000 },
    channels: { text: 'number of connections', default: 1000 },
  },
  async run({ count, channels }, stage) {
    const limits = ['--embedded-max-sessions', String(count + 10), '--mailbox-max-mailboxes', String(count)];
    const sidecar = await stage.sidecar('inside', limits, reporting(stage.folder));
    const clients = Array.from({ length: channels }, () => new SpreadSidecar({ target: sidecar.tcpTarget }));
    try {
      const before = await reportOf(sidecar, stage.folder);
      const startedAt = performance.now();
      const open = await openMailboxes(clients, count);
      const openedMs = performance.now() - startedAt;
      // Every mailbox has received the view of its own join, so its Receive stream is attached and gets the message.
      const received = open.map(async (mailbox) => {
        for await (const event of mailbox) if (event.kind === 'regular') return performance.now();
        throw new Error('a mailbox ended without the message');
      });
      const groups = groupsOf(count);
      const sentAt = performance.now();
      for (let i = 0; i < groups.length; i += 40)
        await open[0]!.multigroupMulticast(AGREED_MESS, groups.slice(i, i + 40), 'to all');
      const times = await within(Promise.all(received), 'all mailboxes have the message', ALL_MS);
      const during = await reportOf(sidecar, stage.folder);
      const streams = await metricOf(sidecar.adminPort, 'spread_sidecar_receivers');
      const heap = ({ memory }: ProcessReport) => memory.heapUsed / MIB;
      const rss = ({ memory }: ProcessReport) => memory.rss / MIB;
      return [
        { name: 'time until all mailboxes are open', value: openedMs, unit: 'ms' },
        { name: 'mailboxes with the message', value: times.length, unit: '', atLeast: count },
        { name: 'time until the last mailbox has it', value: Math.max(...times) - sentAt, unit: 'ms' },
        { name: 'Receive streams', value: streams, unit: '', atLeast: count, atMost: count },
        { name: 'RSS without mailboxes', value: rss(before), unit: 'MiB' },
        { name: 'RSS with all mailboxes', value: rss(during), unit: 'MiB', atMost: BOUND_MIB },
        { name: 'RSS, maximum', value: memoryMiB(sidecar.pid, 'peak'), unit: 'MiB' },
        { name: 'JavaScript heap without mailboxes', value: heap(before), unit: 'MiB' },
        { name: 'JavaScript heap with all mailboxes', value: heap(during), unit: 'MiB' },
        { name: 'descriptors without mailboxes', value: before.descriptors, unit: '' },
        { name: 'descriptors with all mailboxes', value: during.descriptors, unit: '' },
      ];
    } finally {
      // Without a graceful shutdown, which would wait for all of these clients.
      sidecar.signal('SIGKILL');
      await sidecar.exited;
      await Promise.all(clients.map((client) => client.close().catch(() => {})));
    }
  },
};
