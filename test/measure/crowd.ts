import { type Mailbox, type MailboxOptions, SpreadSidecar } from 'spread-sidecar-client';
import { DaemonProcess } from '../support/daemons/daemon-process.js';
import { freePort, ServeProcess } from '../support/sidecars/serve-process.js';
import { until } from '../support/until.js';
import type { Measure } from './measure.js';
import { memoryMiB, peakMemoryMiB } from './peak-memory.js';
import { StallReceiver } from './stall-receiver.js';
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
/** The ways in which a mailbox can hold memory. */
const KINDS: readonly [what: string, options: MailboxOptions][] = [
  ['pause', { queue: { overflow: 'PAUSE' } }],
  ['disconnect', { queue: { overflow: 'DISCONNECT' } }],
  ['explicit, nothing acknowledged', { acknowledgement: 'EXPLICIT', manualAcknowledgement: true }],
];

/**
 * Many receivers stall at the same time while one reads on. Measures the memory of the process, and whether the
 * reading receiver gets everything.
 */
export const crowd: Measure = {
  text: `many stalled receivers: resident memory within ${FACTOR} times the limit of their queues, and ${EACH_MIB} MiB for each`,
  options: {
    mailboxes: { text: 'number of stalled receivers', default: 200 },
    total: { text: 'mailbox.totalQueueMaxBytes, in MiB', default: 128 },
    bytes: { text: 'size of a message in bytes', default: 1024 },
    seconds: { text: 'duration of the load', default: 30 },
  },
  async run({ mailboxes = 200, total = 128, bytes = 1024, seconds = 30 }, print) {
    const [daemonPort, grpcPort, adminPort] = [await freePort(), await freePort(), await freePort()];
    const daemon = new DaemonProcess(daemonPort);
    await daemon.start();
    const sidecar = new ServeProcess([
      ...['--daemon-addresses', daemon.address],
      ...['--mailbox-queue-max-bytes', `${Math.min(64, total)}MiB`],
      ...['--mailbox-total-queue-max-bytes', `${total}MiB`],
      ...['--grpc-listen', `127.0.0.1:${grpcPort}`],
      ...['--admin-listen', `127.0.0.1:${adminPort}`],
    ]);
    const clients: SpreadSidecar[] = [];
    try {
      await sidecar.ready(adminPort);
      const open = async (options: MailboxOptions = {}): Promise<Mailbox> => {
        const client = new SpreadSidecar({ target: `127.0.0.1:${grpcPort}` });
        clients.push(client);
        return client.connect(options);
      };
      const good = new StallReceiver(await open());
      await good.mailbox.join(GROUP, { awaitView: true });
      const stalled: StallReceiver[] = [];
      for (let i = 0; i < mailboxes; i++) {
        const [, options] = KINDS[i % KINDS.length]!;
        // Without views: each join sends a view to all members, which would fill the queues before the load begins.
        const receiver = new StallReceiver(await open({ ...options, membership: false }));
        receiver.stall();
        stalled.push(receiver);
        await receiver.mailbox.join(GROUP);
      }
      const idleMiB = memoryMiB(sidecar.pid);
      const load = new StampedLoad((await open()).sender(), {
        group: GROUP,
        messageBytes: bytes,
        pace: { inFlight: 200, received: () => good.messages },
      });
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      await load.stop();
      await until(() => good.messages === load.sent || good.end !== undefined, {
        what: 'the good receiver has everything',
        timeoutMs: 60_000,
      });
      const peakMiB = peakMemoryMiB(sidecar.pid);
      const held = await heldBytes(adminPort);
      const boundMiB = idleMiB + GARBAGE_MIB + FACTOR * total + EACH_MIB * mailboxes;
      print(
        `${mailboxes} stalled receivers (${KINDS.map(([what]) => what).join('; ')}) of ${load.sent} messages of ${bytes} bytes`,
      );
      print(
        `  held ${(held / MIB).toFixed(1)} of ${total} MiB; resident memory ${idleMiB.toFixed(0)} MiB before, ${peakMiB.toFixed(0)} MiB at most (bound ${boundMiB.toFixed(0)} MiB)`,
      );
      print(
        `  the one that reads got ${good.messages}, ${good.gaps} gaps${good.end ? `; ${good.end.reason}` : ''}`,
      );
      return (
        peakMiB <= boundMiB &&
        good.gaps === 0 &&
        good.messages === load.sent &&
        held <= total * MIB + mailboxes * READ_BYTES
      );
    } finally {
      await Promise.all(clients.map((client) => client.close().catch(() => {})));
      await sidecar.end();
      await daemon.kill();
    }
  },
};

/** The metric spread_sidecar_retained_bytes. */
async function heldBytes(adminPort: number): Promise<number> {
  const page = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  return Number(/^spread_sidecar_retained_bytes (\S+)$/m.exec(page)?.[1]);
}
