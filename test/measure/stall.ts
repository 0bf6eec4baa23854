import { type Mailbox, SpreadSidecar } from 'spread-sidecar-client';
import { DaemonProcess } from '../support/daemons/daemon-process.js';
import { freePort, ServeProcess } from '../support/sidecars/serve-process.js';
import { until } from '../support/until.js';
import { Latency } from './latency.js';
import type { Measure } from './measure.js';
import { memoryMiB, peakMemoryMiB } from './peak-memory.js';
import { StallReceiver } from './stall-receiver.js';
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
  readonly embedded: boolean;
}

interface Outcome {
  readonly peakMiB: number;
  /** Limit for the p99 of the reading receiver. */
  readonly ratio: number;
  /** Whether the stalled receiver got every event that it had to get. */
  readonly complete: boolean;
}

/**
 * One receiver stalls while another reads on. Measures memory, the latency of the reading receiver, and the events
 * that the stalled receiver gets when it continues.
 */
export const stall: Measure = {
  text: `a stalled receiver under full load: resident memory up to ${MEMORY_BOUND_MIB} MiB, another's p99 within 20 %, nothing lost`,
  options: {
    minutes: { text: 'minutes of the stall, at the paced rate and again at saturation', default: 10 },
    baseline: { text: 'minutes before the stall', default: 2 },
    rate: { text: 'messages per second of the paced run; 0: no paced run', default: 5000 },
    bytes: { text: 'size of a message in bytes', default: 1024 },
    saturated: { text: '0: no run at saturation', default: 1 },
    embedded: { text: '1: the daemon is embedded in the sidecar, and its memory counts too', default: 0 },
  },
  async run({ minutes = 10, baseline = 2, rate = 5000, bytes = 1024, saturated = 1, embedded = 0 }, print) {
    const common = {
      messageBytes: Math.max(bytes, STAMP_BYTES),
      minutes,
      baselineMinutes: baseline,
      embedded: embedded > 0,
    };
    const outcomes: [Outcome, boolean][] = [];
    if (rate > 0) outcomes.push([await measured({ ...common, title: `paced`, rate }, print), true]);
    // At saturation, the latency depends only on the length of the queues. It is printed and has no bound.
    if (saturated > 0)
      outcomes.push([await measured({ ...common, title: 'saturated', rate: 0 }, print), false]);
    return outcomes.every(
      ([{ peakMiB, ratio, complete }, judged]) =>
        peakMiB <= MEMORY_BOUND_MIB && complete && (!judged || ratio <= LATENCY_BOUND),
    );
  },
};

async function measured(run: Run, print: (line: string) => void): Promise<Outcome> {
  const [daemonPort, grpcPort, adminPort] = [await freePort(), await freePort(), await freePort()];
  const daemon = new DaemonProcess(daemonPort);
  if (!run.embedded) await daemon.start();
  const sidecar = new ServeProcess([
    ...(run.embedded
      ? ['--embedded-daemon', '--embedded-listen', `127.0.0.1:${daemonPort}`, '--embedded-socket', 'off']
      : ['--daemon-addresses', daemon.address]),
    ...['--grpc-listen', `127.0.0.1:${grpcPort}`],
    ...['--admin-listen', `127.0.0.1:${adminPort}`],
  ]);
  const clients: SpreadSidecar[] = [];
  try {
    await sidecar.ready(adminPort);
    const open = async (): Promise<Mailbox> => {
      const client = new SpreadSidecar({ target: `127.0.0.1:${grpcPort}` });
      clients.push(client);
      return client.connect();
    };
    return await withMailboxes(run, sidecar.pid, await open(), await open(), await open(), print);
  } finally {
    await Promise.all(clients.map((client) => client.close().catch(() => {})));
    await sidecar.end();
    await daemon.kill();
  }
}

async function withMailboxes(
  { title, rate, messageBytes, minutes, baselineMinutes }: Run,
  pid: number,
  sending: Mailbox,
  good: Mailbox,
  slow: Mailbox,
  print: (line: string) => void,
): Promise<Outcome> {
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
  const before = memoryMiB(pid);

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
    what: 'the good receiver has everything',
    timeoutMs: 60_000,
  });
  const takenBefore = stalls.lastSequence;
  stalls.wake();
  await until(() => stalls.end !== undefined || stalls.lastIndex === load.sent - 1, {
    what: 'the stalled receiver has everything, or its end',
    timeoutMs: 120_000,
  });
  const peakMiB = peakMemoryMiB(pid);

  const ms = (value: number) => `${value.toFixed(value < 10 ? 2 : 1)} ms`;
  const perSecond = (part: Latency, lengthMs: number) => Math.round((part.count * 1000) / lengthMs);
  const ratio = stalled.percentile(0.99) / baseline.percentile(0.99);
  print(
    `${title}: ${perSecond(stalled, minutes * 60_000)} messages/s of ${messageBytes} bytes to two receivers, ${baselineMinutes} min in which both read, ${minutes} min in which one does not`,
  );
  print(
    `  p99 of the one that reads: ${ms(baseline.percentile(0.99))} before, ${ms(stalled.percentile(0.99))} during the stall (x ${ratio.toFixed(2)}); worst minute ${ms(baseline.worstMinute(0.99))}, ${ms(stalled.worstMinute(0.99))}; median ${ms(baseline.percentile(0.5))}, ${ms(stalled.percentile(0.5))}`,
  );
  if (fullAfterMs === undefined) print('  the queue of the stalled one did not fill');
  else
    print(`  while its queue filled, ${(fullAfterMs / 1000).toFixed(1)} s: p99 ${ms(full.percentile(0.99))}`);
  print(
    `  resident memory of the sidecar: ${before.toFixed(0)} MiB before the stall, ${peakMiB.toFixed(0)} MiB at most`,
  );
  const last = stalls.end?.metadata.last_sequence ?? String(stalls.lastSequence);
  const complete =
    stalls.gaps === 0 &&
    String(stalls.lastSequence) === last &&
    keepsUp.gaps === 0 &&
    keepsUp.messages === load.sent;
  print(
    `  the stalled one woke and got events ${takenBefore + 1n} to ${stalls.lastSequence} of ${last}, ${stalls.gaps} gaps; ${stalls.end ? `then ${stalls.end.reason}` : 'nothing was left'}`,
  );
  if (keepsUp.gaps > 0 || keepsUp.messages !== load.sent)
    print(
      `  THE OTHER ONE got ${keepsUp.messages} of ${load.sent}, ${keepsUp.gaps} gaps, ${keepsUp.end?.reason}`,
    );
  return { peakMiB, ratio, complete };
}

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
