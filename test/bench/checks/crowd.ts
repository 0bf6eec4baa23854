import { type Mailbox, type MailboxOptions, SpreadSidecar } from 'spread-sidecar-client';
import { until } from '../../support/until.js';
import { memoryMiB } from '../process-meter.js';
import type { Check } from './check.js';
import { metricOf } from './metrics.js';
import { completeness, StallReceiver } from './stall-receiver.js';
import { StampedLoad } from './stamped-load.js';

const GROUP = 'load';
const MIB = 1024 * 1024;
/** Largest number of bytes that one more read from the daemon can add to each queue. */
const READ_BYTES = 64 * 1024;
/** Allowance of the bound for each mailbox beside its queue: connections, the ends of chunks. Unit: MiB. */
const EACH_MIB = 0.5;
/** Allowance of the bound for each counted byte: the ends of chunks, the end of each event. */
const FACTOR = 1.3;
/** Allowance of the bound for garbage that is not collected yet. Unit: MiB. */
const GARBAGE_MIB = 100;
/** The ways in which a mailbox can hold memory: a full queue of each policy, and events without acknowledgement. */
const KINDS: readonly MailboxOptions[] = [
  { queue: { overflow: 'PAUSE' } },
  { queue: { overflow: 'DISCONNECT' } },
  { acknowledgement: 'EXPLICIT', manualAcknowledgement: true },
];

/**
 * Many receivers stall at the same time while one reads on. Measures the memory of the process, and whether the
 * reading receiver gets everything.
 */
export const crowd: Check<'mailboxes' | 'total' | 'bytes' | 'seconds'> = {
  id: 'crowd',
  text: `many stalled receivers: resident memory within ${FACTOR} times the limit of their queues, and ${EACH_MIB} MiB for each`,
  options: {
    mailboxes: { text: 'number of stalled receivers', default: 200 },
    total: { text: 'mailbox.totalQueueMaxBytes, in MiB', default: 128 },
    bytes: { text: 'size of a message in bytes', default: 1024 },
    seconds: { text: 'duration of the load', default: 30 },
  },
  async run({ mailboxes, total, bytes, seconds }, stage) {
    const sidecar = await stage.sidecar('embedded', [
      ...['--mailbox-queue-max-bytes', `${Math.min(64, total)}MiB`],
      ...['--mailbox-total-queue-max-bytes', `${total}MiB`],
    ]);
    const clients: SpreadSidecar[] = [];
    try {
      const open = async (options: MailboxOptions = {}): Promise<Mailbox> => {
        const client = new SpreadSidecar({ target: sidecar.tcpTarget });
        clients.push(client);
        return client.connect(options);
      };
      const good = new StallReceiver(await open());
      await good.mailbox.join(GROUP, { awaitView: true });
      for (let i = 0; i < mailboxes; i++) {
        const options = KINDS[i % KINDS.length];
        // Without views: each join sends a view to all members, which would fill the queues before the load begins.
        const receiver = new StallReceiver(await open({ ...options, membership: false }));
        receiver.stall();
        await receiver.mailbox.join(GROUP);
      }
      const idleMiB = memoryMiB(sidecar.pid, 'now');
      const load = new StampedLoad((await open()).sender(), {
        group: GROUP,
        messageBytes: bytes,
        pace: { inFlight: 200, received: () => good.messages },
      });
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      await load.stop();
      await until(() => good.messages === load.sent || good.end !== undefined, {
        what: 'the reading receiver has everything',
        timeoutMs: 60_000,
      });
      const peakMiB = memoryMiB(sidecar.pid, 'peak');
      const held = await metricOf(sidecar.adminPort, 'spread_sidecar_retained_bytes');
      const boundMiB = idleMiB + GARBAGE_MIB + FACTOR * total + EACH_MIB * mailboxes;
      const heldBoundMiB = total + (mailboxes * READ_BYTES) / MIB;
      return [
        { name: 'messages', value: load.sent, unit: '' },
        { name: 'events in the queues', value: held / MIB, unit: 'MiB', atMost: heldBoundMiB },
        { name: 'resident memory before the load', value: idleMiB, unit: 'MiB' },
        { name: 'resident memory, maximum', value: peakMiB, unit: 'MiB', atMost: boundMiB },
        ...completeness(good, load.sent),
      ];
    } finally {
      await Promise.all(clients.map((client) => client.close().catch(() => {})));
    }
  },
};
