import { AGREED_MESS, SpreadSidecar } from 'spread-sidecar-client';
import { type ProcessReport, reporting, reportOf } from '../servers/process-report.js';
import type { Check, CheckedFigure } from './check.js';

/** Number of concurrent cycles. */
const AT_ONCE = 4;
/**
 * Timers of closed connections end within this time. The timers that detect dead sessions are the longest. Unit:
 * ms.
 */
const SETTLE_MS = 6000;
const MIB = 1024 * 1024;

interface Resource {
  readonly what: string;
  readonly unit: string;
  read(report: ProcessReport): number;
  /** Largest growth after the second and after the third part, compared with the part before. */
  readonly bounds: readonly [number, number];
}

const RESOURCES: readonly Resource[] = [
  {
    what: 'JavaScript heap',
    unit: 'MiB',
    read: ({ memory }) => (memory.heapUsed + memory.external) / MIB,
    // In the second part V8 still compiles. In the third part, a leak of 1.1 KiB per cycle would exceed this value.
    bounds: [6, 1],
  },
  { what: 'RSS', unit: 'MiB', read: ({ memory }) => memory.rss / MIB, bounds: [24, 8] },
  { what: 'descriptors', unit: '', read: ({ descriptors }) => descriptors, bounds: [0, 0] },
  { what: 'handles', unit: '', read: ({ resources }) => handlesOf(resources), bounds: [0, 0] },
];

/**
 * Opens and closes mailboxes and channels repeatedly. Measures the memory, handles and file descriptors that stay.
 */
export const cycles: Check<'warmup' | 'cycles'> = {
  id: 'cycles',
  text: `channel, connect, join, send, receive, leave, disconnect, repeatedly, ${AT_ONCE} at once: memory, handles and descriptors do not grow`,
  options: {
    warmup: { text: 'cycles before the first sample', default: 200 },
    cycles: { text: 'cycles between the samples', default: 1000 },
  },
  async run({ warmup, cycles: count }, stage) {
    const sidecar = await stage.sidecar('inside', [], reporting(stage.folder));
    const parts = [warmup, warmup + count, warmup + 2 * count];
    const reports: ProcessReport[] = [];
    for (const [i, end] of parts.entries()) {
      await repeat(end - (parts[i - 1] ?? 0), sidecar.tcpTarget);
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      reports.push(await reportOf(sidecar, stage.folder));
    }
    return RESOURCES.flatMap((resource) => growthOf(resource, reports, parts));
  },
};

/** A figure for each report: the value, and the limit that the report before sets. */
export function growthOf(
  { what, unit, read, bounds }: Resource,
  reports: readonly ProcessReport[],
  parts: readonly number[],
): readonly CheckedFigure[] {
  const values = reports.map(read);
  return values.map((value, i) => ({
    name: `${what} after ${parts[i]} cycles`,
    value,
    unit,
    atMost: i === 0 ? undefined : values[i - 1]! + bounds[i - 1]!,
  }));
}

async function repeat(count: number, target: string): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next++ < count) await cycle(target);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function cycle(target: string): Promise<void> {
  const client = new SpreadSidecar({ target });
  try {
    const mailbox = await client.connect();
    await mailbox.join('g', { awaitView: true });
    const sender = mailbox.sender();
    await sender.send(AGREED_MESS, mailbox.privateGroup, 'mine');
    await sender.close();
    for await (const event of mailbox) if (event.kind === 'regular') break;
    await mailbox.leave('g', { awaitView: true });
    await mailbox.disconnect();
  } finally {
    await client.close();
  }
}

/** Without timers and immediates, which come and go by themselves. */
function handlesOf(resources: Readonly<Record<string, number>>): number {
  return Object.entries(resources)
    .filter(([kind]) => kind !== 'Timeout' && kind !== 'Immediate')
    .reduce((sum, [, count]) => sum + count, 0);
}
