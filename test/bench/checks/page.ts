import { SpreadSidecar } from 'spread-sidecar-client';
import { until } from '../../support/until.js';
import { median } from '../statistics.js';
import type { Check, CheckedFigure } from './check.js';
import { CheckThread } from './check-thread.js';
import { Latency } from './latency.js';
import type { PageLoadData } from './page-load.js';
import type { PageReaderData, PageReads } from './page-reader.js';
import { StallReceiver } from './stall-receiver.js';
import { StampedLoad } from './stamped-load.js';

/** Largest change of the p99, as a part of the p99 without the page. */
const CHANGE_BOUND = 0.05;
/** The interval of server/page/src/refresher.ts. */
export const REFRESH_MS = 2000;
/** The requests of one refresh, with the query of a new status page, for each of its views with rows. */
const VIEWS: readonly (readonly string[])[] = [
  [
    '/mailboxes.json?sort=-queueEvents&limit=5',
    '/mailboxes.json?sort=-queueBytes&limit=5',
    '/events.json',
    '/status.json',
  ],
  ['/mailboxes.json?sort=-queueEvents&offset=0&limit=25', '/status.json'],
  ['/groups.json?sort=group&offset=0&limit=25', '/status.json'],
];
/** Warm-up before the first window: V8 compiles the code, also that of the JSON pages. Unit: ms. */
const WARM_UP_MS = 20_000;
/** Messages per second of the neighbour: one every 2 ms. */
const NEIGHBOUR_RATE = 500;
const MESSAGE_BYTES = 100;
const CHANNELS = 10;

/** Many mailboxes under load, and a neighbour that sends to itself. The status page is closed and open in turn. */
export const page: Check<'pairs' | 'seconds' | 'mailboxes' | 'rate' | 'view'> = {
  id: 'page',
  text: `an open status page under load: p99 of a neighbour's round trips within ${CHANGE_BOUND * 100} %`,
  options: {
    pairs: { text: 'number of pairs of windows, without and with the page', default: 20 },
    seconds: { text: 'duration of a window', default: 8 },
    mailboxes: { text: 'number of mailboxes', default: 1000 },
    rate: { text: 'messages per second to all groups; 50 mailboxes get each message', default: 40 },
    view: { text: 'open view of the page. 0: Overview, 1: Mailboxes, 2: Groups', default: 0 },
  },
  async run({ pairs, seconds, mailboxes, rate, view }, stage) {
    const paths = VIEWS[view];
    if (paths === undefined) throw new Error(`--view must be 0, 1 or 2; got ${view}`);
    const limits = ['--embedded-max-sessions', String(mailboxes + 10)];
    const sidecar = await stage.sidecar('inside', [
      ...limits,
      '--mailbox-max-mailboxes',
      String(mailboxes + 1),
    ]);
    const client = new SpreadSidecar({ target: sidecar.tcpTarget });
    const threads: CheckThread<unknown>[] = [];
    try {
      const load = await CheckThread.start<number>('page-load.ts', {
        ...{ target: sidecar.tcpTarget, mailboxes, channels: CHANNELS, rate, messageBytes: MESSAGE_BYTES },
      } satisfies PageLoadData);
      threads.push(load);
      const reader = await CheckThread.start<PageReads>('page-reader.ts', {
        ...{ adminPort: sidecar.adminPort, paths, intervalMs: REFRESH_MS },
      } satisfies PageReaderData);
      threads.push(reader);
      let latency = new Latency();
      const neighbour = new StallReceiver(await client.connect(), ({ dueAt }) =>
        latency.record(performance.now() - dueAt),
      );
      const trips = new StampedLoad(neighbour.mailbox.sender(), {
        group: neighbour.mailbox.privateGroup,
        messageBytes: MESSAGE_BYTES,
        pace: { rate: NEIGHBOUR_RATE },
      });
      const window = async (isOpen: boolean): Promise<Latency> => {
        await reader.ask(isOpen ? 'open' : 'close');
        latency = new Latency();
        const measured = latency;
        await sleep(seconds * 1000);
        return measured;
      };
      await reader.ask('open');
      await sleep(WARM_UP_MS);
      const before = await load.ask('count');
      const readBefore = await reader.ask('close');
      const startedAt = performance.now();
      const without: Latency[] = [];
      const withPage: Latency[] = [];
      for (let pair = 0; pair < pairs; pair += 1) {
        without.push(await window(false));
        withPage.push(await window(true));
      }
      const { pages, longestMs } = await reader.ask('close');
      const events = (await load.ask('count')) - before;
      const loadRate = (events * 1000) / (performance.now() - startedAt);
      await trips.stop();
      await until(() => neighbour.messages === trips.sent || neighbour.end !== undefined, {
        what: 'the neighbour has all of its messages',
        timeoutMs: 60_000,
      });
      return [
        { name: 'events of the mailboxes', value: loadRate, unit: '1/s' },
        { name: 'JSON pages', value: pages - readBefore.pages, unit: '', atLeast: pairs * paths.length },
        { name: 'longest answer of a JSON page', value: longestMs, unit: 'ms' },
        ...comparison(without, withPage),
        {
          name: 'messages that the neighbour did not get',
          value: trips.sent - neighbour.messages,
          unit: '',
          atMost: 0,
        },
      ];
    } finally {
      // Without a graceful shutdown, which would wait for all of these clients.
      sidecar.signal('SIGKILL');
      await sidecar.exited;
      await Promise.all(threads.map((thread) => thread.end()));
      await client.close().catch(() => {});
    }
  },
};

/** The median of a percentile over the windows, without and with the page. */
export function comparison(
  without: readonly Pick<Latency, 'percentile' | 'count'>[],
  withPage: readonly Pick<Latency, 'percentile' | 'count'>[],
): readonly CheckedFigure[] {
  const over = (windows: typeof without, p: number) => median(windows.map((one) => one.percentile(p)));
  const ms = (name: string, value: number) => ({ name, value, unit: 'ms' });
  const p99 = [over(without, 0.99), over(withPage, 0.99)] as const;
  const ratios = without.map((one, i) => withPage[i]!.percentile(0.99) / one.percentile(0.99));
  return [
    { name: 'round trips in a window, median', value: median(without.map(({ count }) => count)), unit: '' },
    ms('p50 without the page', over(without, 0.5)),
    ms('p50 with the page', over(withPage, 0.5)),
    ms('p99 without the page', p99[0]),
    ms('p99 with the page', p99[1]),
    { name: 'median of the ratios of the pairs', value: median(ratios), unit: '×' },
    {
      name: 'p99 with the page, against without',
      value: p99[1] / p99[0],
      unit: '×',
      atMost: 1 + CHANGE_BOUND,
    },
  ];
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
