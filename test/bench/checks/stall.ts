import { type Mailbox, SpreadSidecar } from 'spread-sidecar-client';
import { until } from '../../support/until.js';
import { memoryMiB } from '../process-meter.js';
import type { Stage } from '../stage.js';
import type { Check, CheckedFigure } from './check.js';
import { Latency } from './latency.js';
import { completeness, StallReceiver } from './stall-receiver.js';
import { STAMP_BYTES, StampedLoad } from './stamped-load.js';

const MEMORY_BOUND_MIB = 256;
const LATENCY_BOUND = 1.2;
const GROUP = 'load';
/** Warm-up before the measurement: V8 compiles the code, and buffers grow. Unit: ms. */
const WARM_UP_MS = 10_000;
/** With `saturated` load: number of messages on their way to the reading receiver. */
const IN_FLIGHT_MESSAGES = 2000;
const IN_FLIGHT_BYTES = 4 * 1024 * 1024;

interface Run {
  readonly title: string;
  /** Messages per second. 0: as many as the reading receiver accepts. */
  readonly rate: number;
  readonly messageBytes: number;
  readonly minutes: number;
  readonly baselineMinutes: number;
  readonly daemon: 'embedded' | 'inside';
}

/**
 * One receiver stalls while another reads on. Measures memory, the latency of the reading receiver, and the events
 * that the stalled receiver gets when it continues.
 */
export const stall: Check<'minutes' | 'baseline' | 'rate' | 'bytes' | 'saturated' | 'embedded'> = {
  id: 'stall',
  text: `a stalled receiver under full load: resident memory up to ${MEMORY_BOUND_MIB} MiB, another's p99 within 20 %, nothing lost`,
  options: {
    minutes: { text: 'minutes of the stall, at the paced rate and again at saturation', default: 10 },
    baseline: { text: 'minutes before the stall', default: 2 },
    rate: { text: 'messages per second of the paced run; 0: no paced run', default: 5000 },
    bytes: { text: 'size of a message in bytes', default: 1024 },
    saturated: { text: '0: no run at saturation', default: 1 },
    embedded: { text: '1: the daemon is embedded in the sidecar, and its memory counts too', default: 0 },
  },
  async run({ minutes, baseline, rate, bytes, saturated, embedded }, stage) {
    const common = {
      messageBytes: Math.max(bytes, STAMP_BYTES),
      minutes,
      baselineMinutes: baseline,
      daemon: embedded > 0 ? 'inside' : 'embedded',
    } as const;
    return [
      ...(rate > 0 ? await measured(stage, { ...common, title: 'paced', rate }) : []),
      ...(saturated > 0 ? await measured(stage, { ...common, title: 'saturated', rate: 0 }) : []),
    ];
  },
};

async function measured(stage: Stage, run: Run): Promise<readonly CheckedFigure[]> {
  const fresh = stage.fresh();
  const clients: SpreadSidecar[] = [];
  try {
    const sidecar = await fresh.sidecar(run.daemon);
    const open = async (): Promise<Mailbox> => {
      const client = new SpreadSidecar({ target: sidecar.tcpTarget });
      clients.push(client);
      return client.connect();
    };
    const figures = await withMailboxes(run, sidecar.pid, await open(), await open(), await open());
    return figures.map((figure) => ({ ...figure, name: `${run.title}: ${figure.name}` }));
  } finally {
    await Promise.all(clients.map((client) => client.close().catch(() => {})));
    await fresh.close();
  }
}

async function withMailboxes(
  { rate, messageBytes, minutes, baselineMinutes }: Run,
  pid: number,
  sending: Mailbox,
  good: Mailbox,
  slow: Mailbox,
): Promise<readonly CheckedFigure[]> {
  let latency = new Latency();
  let filling: Latency | undefined;
  const keepsUp = new StallReceiver(good, ({ dueAt }) => {
    const ms = performance.now() - dueAt;
    latency.record(ms);
    filling?.record(ms);
  });
  const stalls = new StallReceiver(slow);
  for (const mailbox of [good, slow]) await mailbox.join(GROUP, { awaitView: true });
  const load = new StampedLoad(sending.sender(), {
    group: GROUP,
    messageBytes,
    pace: rate > 0 ? { rate } : { inFlight: inFlightOf(messageBytes), received: () => keepsUp.messages },
  });
  await sleep(WARM_UP_MS);

  latency = new Latency();
  const baseline = latency;
  await sleep(baselineMinutes * 60_000);
  const before = memoryMiB(pid, 'now');

  stalls.stall();
  latency = new Latency();
  filling = new Latency();
  const stalled = latency;
  const full = filling;
  const wakesAt = performance.now() + minutes * 60_000;
  const stallStartedAt = performance.now();
  let fullAfterMs: number | undefined;
  while (performance.now() < wakesAt) {
    await sleep(Math.min(500, wakesAt - performance.now()));
    if (fullAfterMs !== undefined || !(await isFull(slow))) continue;
    fullAfterMs = performance.now() - stallStartedAt;
    filling = undefined;
  }
  latency = new Latency();
  await load.stop();
  await until(() => keepsUp.messages === load.sent || keepsUp.end !== undefined, {
    what: 'the reading receiver has everything',
    timeoutMs: 60_000,
  });
  const takenBefore = stalls.lastSequence;
  stalls.wake();
  await until(() => stalls.end !== undefined || stalls.lastIndex === load.sent - 1, {
    what: 'the stalled receiver has everything, or its end',
    timeoutMs: 120_000,
  });
  const last = BigInt(stalls.end?.metadata.last_sequence ?? stalls.lastSequence);
  const ms = (name: string, value: number) => ({ name, value, unit: 'ms' });
  const p99 = [baseline, stalled].map((part) => part.percentile(0.99)) as [number, number];
  return [
    { name: 'messages during the stall', value: stalled.count / (minutes * 60), unit: '1/s' },
    ms('p50 of the reading receiver before', baseline.percentile(0.5)),
    ms('p50 during the stall', stalled.percentile(0.5)),
    ms('p99 before', p99[0]),
    ms('p99 during the stall', p99[1]),
    // At saturation, the latency depends only on the length of the queues. It has no bound.
    {
      name: 'p99 during the stall, against before',
      value: p99[1] / p99[0],
      unit: '×',
      atMost: rate > 0 ? LATENCY_BOUND : undefined,
    },
    ms('p99 of the worst minute before', baseline.worstMinute(0.99)),
    ms('p99 of the worst minute during the stall', stalled.worstMinute(0.99)),
    { name: 'time until the stalled queue was full', value: (fullAfterMs ?? Number.NaN) / 1000, unit: 's' },
    ms('p99 in this time', fullAfterMs === undefined ? Number.NaN : full.percentile(0.99)),
    { name: 'resident memory before the stall', value: before, unit: 'MiB' },
    {
      name: 'resident memory, maximum',
      value: memoryMiB(pid, 'peak'),
      unit: 'MiB',
      atMost: MEMORY_BOUND_MIB,
    },
    {
      name: `events that the stalled receiver got after the stall, until ${stalls.end?.reason ?? 'the last one'}`,
      value: Number(stalls.lastSequence - takenBefore),
      unit: '',
    },
    { name: 'events that it did not get', value: Number(last - stalls.lastSequence), unit: '', ...none },
    { name: 'gaps in its events', value: stalls.gaps, unit: '', ...none },
    ...completeness(keepsUp, load.sent),
  ];
}

const none = { atLeast: 0, atMost: 0 };

/** The sidecar has paused the daemon socket of the mailbox, or the mailbox has ended. */
async function isFull(mailbox: Mailbox): Promise<boolean> {
  const { paused, state } = await mailbox.info();
  return paused || state === 'ENDED';
}

function inFlightOf(messageBytes: number): number {
  return Math.max(1, Math.min(IN_FLIGHT_MESSAGES, Math.floor(IN_FLIGHT_BYTES / messageBytes)));
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
