import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AGREED_MESS, SpreadSidecar } from 'spread-sidecar-client';
import { freePort, ServeProcess } from '../support/sidecars/serve-process.js';
import type { Measure } from './measure.js';
import { mebibytes, type ProcessReport, reporting, reportOf } from './process-report.js';

/** Number of concurrent cycles. */
const AT_ONCE = 4;
/**
 * Timers of closed connections end within this time. The timers that detect dead sessions are the longest. Unit:
 * ms.
 */
const SETTLE_MS = 6000;
const MIB = 1024 * 1024;

interface Figure {
  readonly what: string;
  read(report: ProcessReport): number;
  text(value: number): string;
  /** Largest growth after the second and after the third part, compared with the part before. */
  readonly bounds: readonly [number, number];
}

const FIGURES: readonly Figure[] = [
  {
    what: 'JavaScript heap',
    read: ({ memory }) => memory.heapUsed + memory.external,
    text: mebibytes,
    // In the second part V8 still compiles. In the third part, one kilobyte that stays for each cycle would exceed
    // this value.
    bounds: [6 * MIB, MIB],
  },
  { what: 'RSS', read: ({ memory }) => memory.rss, text: mebibytes, bounds: [24 * MIB, 8 * MIB] },
  { what: 'descriptors', read: ({ descriptors }) => descriptors, text: String, bounds: [0, 0] },
  { what: 'handles', read: ({ resources }) => handlesOf(resources), text: String, bounds: [0, 0] },
];

/**
 * Opens and closes mailboxes and channels repeatedly. Measures the memory, handles and file descriptors that stay.
 */
export const cycles: Measure = {
  text: 'channel, connect, join, send, receive, leave, disconnect, repeatedly: memory, handles and descriptors do not grow',
  options: {
    warmup: { text: 'cycles before the first sample', default: 200 },
    cycles: { text: 'cycles between the samples', default: 1000 },
  },
  async run({ warmup = 200, cycles: count = 1000 }, print) {
    const folder = mkdtempSync(join(tmpdir(), 'measure-'));
    const [grpcPort, adminPort] = [await freePort(), await freePort()];
    const sidecar = new ServeProcess(
      [
        ...['--embedded-daemon', '--embedded-listen', 'off', '--embedded-socket', join(folder, 'spread')],
        ...['--grpc-listen', `127.0.0.1:${grpcPort}`, '--admin-listen', `127.0.0.1:${adminPort}`],
      ],
      reporting(folder),
    );
    try {
      await sidecar.ready(adminPort);
      const reports: ProcessReport[] = [];
      for (const part of [warmup, count, count]) {
        await repeat(part, `127.0.0.1:${grpcPort}`);
        await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
        reports.push(await reportOf(sidecar, folder));
      }
      print(`after ${warmup}, ${warmup + count} and ${warmup + 2 * count} cycles, ${AT_ONCE} at once:`);
      return FIGURES.map((figure) => judge(figure, reports, print)).every(Boolean);
    } finally {
      await sidecar.end();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function judge(
  { what, read, text, bounds }: Figure,
  reports: readonly ProcessReport[],
  print: (line: string) => void,
): boolean {
  const values = reports.map(read);
  const more = bounds.map((_, i) => values[i + 1]! - values[i]!);
  print(`${what}: ${values.map(text).join(', ')} (at most ${bounds.map(text).join(', then ')} more)`);
  return more.every((growth, i) => growth <= bounds[i]!);
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
