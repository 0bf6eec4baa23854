import { DaemonProcess } from '../support/daemons/daemon-process.js';
import { DrainLoad, type DrainVerdict } from '../support/sidecars/drain-load.js';
import { freePort, ServeProcess } from '../support/sidecars/serve-process.js';
import { within } from '../support/until.js';
import type { Measure } from './measure.js';
import { percentile } from './percentiles.js';

const BOUND_MS = 2000;

const PAYLOAD_BYTES = 1000;

/** Largest number of messages that a sender is ahead of its receivers: full load without a growing backlog. */
const WINDOW = 1000;

/**
 * Sends SIGTERM at full load. Measures the time until the process ends, and whether all accepted messages arrived.
 */
export const drain: Measure = {
  text: `SIGTERM at full load: exit within ${BOUND_MS} ms, no confirmed message lost, every receiver gets the reason`,
  options: {
    rounds: { text: 'number of stops', default: 10 },
    seconds: { text: 'duration of the load before the signal', default: 3 },
    senders: { text: 'number of senders, half with unary calls, half with MulticastStream', default: 4 },
    receivers: { text: 'number of receivers, which all read', default: 2 },
  },
  async run({ rounds = 10, seconds = 3, senders = 4, receivers = 2 }, print) {
    const exitMs: number[] = [];
    const backlogs: number[] = [];
    const rates: number[] = [];
    const sums = { accepted: 0, notSent: 0, unknown: 0 };
    let problems = 0;
    for (let round = 0; round < rounds; round += 1) {
      const figures = await oneRound(seconds, senders, receivers);
      exitMs.push(figures.exitMs);
      backlogs.push(figures.backlog);
      rates.push(figures.rate);
      for (const key of ['accepted', 'notSent', 'unknown'] as const) sums[key] += figures.verdict[key];
      problems += figures.verdict.problems.length;
      for (const problem of figures.verdict.problems.slice(0, 5)) print(`round ${round + 1}: ${problem}`);
    }
    const longest = percentile(exitMs, 1);
    const median = (values: readonly number[]) => percentile(values, 0.5).toFixed(0);
    print(`load: median ${median(rates)} messages/s, each to ${receivers} receivers (${rounds} rounds)`);
    print(`events that waited at the signal: median ${median(backlogs)}, most ${percentile(backlogs, 1)}`);
    print(`exit after SIGTERM: median ${median(exitMs)} ms, longest ${longest.toFixed(0)} ms`);
    print(`answered with success: ${sums.accepted}; promises broken: ${problems}`);
    print(`reported as not sent: ${sums.notSent}; reported with an unknown outcome: ${sums.unknown}`);
    return longest <= BOUND_MS && problems === 0;
  },
};

interface Round {
  readonly exitMs: number;
  readonly backlog: number;
  /** Messages per second. */
  readonly rate: number;
  readonly verdict: DrainVerdict;
}

async function oneRound(seconds: number, senders: number, receivers: number): Promise<Round> {
  const [daemonPort, grpcPort, adminPort] = [await freePort(), await freePort(), await freePort()];
  // The observer shares a process with all of the load, so the daemon must not disconnect it as a slow client.
  const daemon = new DaemonProcess(daemonPort, ['--max-session-messages', '1000000']);
  await daemon.start();
  const sidecar = new ServeProcess([
    ...['--daemon-addresses', daemon.address],
    ...['--grpc-listen', `127.0.0.1:${grpcPort}`],
    ...['--admin-listen', `127.0.0.1:${adminPort}`],
  ]);
  let load: DrainLoad | undefined;
  try {
    await sidecar.ready(adminPort);
    load = await DrainLoad.start({
      target: `127.0.0.1:${grpcPort}`,
      daemon: daemon.address,
      unarySenders: Math.floor(senders / 2),
      streamSenders: Math.ceil(senders / 2),
      receivers,
      payloadBytes: PAYLOAD_BYTES,
      window: WINDOW,
    });
    const [before, begun] = [load.observed, performance.now()];
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const rate = ((load.observed - before) * 1000) / (performance.now() - begun);
    const backlog = await load.backlog();
    const signalled = performance.now();
    sidecar.kill('SIGTERM');
    const { code } = await within(sidecar.exited, 'the exit', 60_000);
    const exitMs = performance.now() - signalled;
    const verdict = await load.finish();
    const problems = code === 0 ? verdict.problems : [`exit code ${code}`, ...verdict.problems];
    return { exitMs, backlog, rate, verdict: { ...verdict, problems } };
  } finally {
    await load?.close();
    await sidecar.end();
    await daemon.kill();
  }
}
