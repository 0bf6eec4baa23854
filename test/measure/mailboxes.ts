import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AGREED_MESS, type Mailbox, SpreadSidecar } from 'spread-sidecar-client';
import { freePort, ServeProcess } from '../support/sidecars/serve-process.js';
import { within } from '../support/until.js';
import type { Measure } from './measure.js';
import { peakMemoryMiB } from './peak-memory.js';
import { mebibytes, reporting, reportOf } from './process-report.js';

const BOUND_RSS = 256 * 1024 * 1024;
/** Members of a group. A view lists all members and goes to each of them. */
const GROUP_SIZE = 50;
/** Number of concurrent Connect calls. */
const AT_ONCE = 50;
const ALL_MS = 60_000;

/** Many mailboxes, each with its Receive stream. All connect, and all receive one broadcast. */
export const mailboxes: Measure = {
  text: `concurrent mailboxes and Receive streams: all get a broadcast, RSS of the sidecar at most ${mebibytes(BOUND_RSS)}`,
  options: {
    count: { text: 'number of mailboxes', default: 1000 },
    channels: { text: 'number of connections', default: 1000 },
  },
  async run({ count = 1000, channels = 1000 }, print) {
    const folder = mkdtempSync(join(tmpdir(), 'measure-'));
    const [grpcPort, adminPort] = [await freePort(), await freePort()];
    const sidecar = new ServeProcess(
      [
        ...['--embedded-daemon', '--embedded-listen', 'off', '--embedded-socket', join(folder, 'spread')],
        ...['--embedded-max-sessions', String(count + 10), '--mailbox-max-mailboxes', String(count)],
        ...['--grpc-listen', `127.0.0.1:${grpcPort}`, '--admin-listen', `127.0.0.1:${adminPort}`],
      ],
      reporting(folder),
    );
    const clients = Array.from(
      { length: channels },
      () => new SpreadSidecar({ target: `127.0.0.1:${grpcPort}` }),
    );
    try {
      await sidecar.ready(adminPort);
      const before = await reportOf(sidecar, folder);
      const startedAt = performance.now();
      const open: Mailbox[] = [];
      const groupOf = (i: number) => `g${Math.floor(i / GROUP_SIZE)}`;
      let next = 0;
      const opener = async () => {
        while (next < count) {
          const i = next++;
          const mailbox = await clients[i % channels]!.connect({ privateName: `m${i}` });
          await mailbox.join(groupOf(i), { awaitView: true });
          open.push(mailbox);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, opener));
      const openedMs = performance.now() - startedAt;
      // Every mailbox has received the view of its own join, so its Receive stream is attached and gets the broadcast.
      const received = open.map(async (mailbox) => {
        for await (const event of mailbox) if (event.kind === 'regular') return performance.now();
        throw new Error('a mailbox ended without the broadcast');
      });
      const groups = [...new Set(open.map((_, i) => groupOf(i)))];
      const sentAt = performance.now();
      for (let i = 0; i < groups.length; i += 40)
        await open[0]!.multigroupMulticast(AGREED_MESS, groups.slice(i, i + 40), 'to all');
      const times = await within(Promise.all(received), 'everybody has the broadcast', ALL_MS);
      const during = await reportOf(sidecar, folder);
      const streams = await receivers(adminPort);
      print(
        `${open.length} mailboxes over ${channels} connections in ${openedMs.toFixed(0)} ms, each in a group of ${GROUP_SIZE}`,
      );
      print(
        `broadcast: the last of ${times.length} had it after ${(Math.max(...times) - sentAt).toFixed(0)} ms; Receive streams: ${streams}`,
      );
      print(
        `RSS: ${mebibytes(before.memory.rss)} before, ${mebibytes(during.memory.rss)} with all of them, ${peakMemoryMiB(sidecar.pid).toFixed(1)} MiB at most on the way`,
      );
      print(
        `JavaScript heap: ${mebibytes(before.memory.heapUsed)} before, ${mebibytes(during.memory.heapUsed)} with all of them`,
      );
      print(`descriptors: ${before.descriptors} before, ${during.descriptors} with all of them`);
      return times.length === count && streams === count && during.memory.rss <= BOUND_RSS;
    } finally {
      await sidecar.end();
      await Promise.all(clients.map((client) => client.close().catch(() => {})));
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Number of Receive streams that the sidecar counts. */
async function receivers(adminPort: number): Promise<number> {
  const page = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  return Number(/^spread_sidecar_receivers (\d+)$/m.exec(page)?.[1]);
}
