import { DrainLoad, type DrainVerdict } from '../../support/sidecars/drain-load.js';
import { within } from '../../support/until.js';
import { MANY_SESSION_MESSAGES } from '../servers/servers.js';
import type { Stage } from '../stage.js';
import { median } from '../statistics.js';
import type { Check } from './check.js';

const BOUND_MS = 2000;

const PAYLOAD_BYTES = 1000;

/** Largest number of messages that a sender is ahead of its receivers: full load without a growing backlog. */
const WINDOW = 1000;

/**
 * Sends SIGTERM at full load. Measures the time until the process ends, and whether all accepted messages arrived.
 */
export const drain: Check<'rounds' | 'seconds' | 'senders' | 'receivers'> = {
  id: 'drain',
  text: `SIGTERM at full load: exit within ${BOUND_MS} ms, no confirmed message lost, every receiver gets the reason`,
  options: {
    rounds: { text: 'number of stops', default: 10 },
    seconds: { text: 'duration of the load before the signal', default: 3 },
    senders: { text: 'number of senders, half with unary calls, half with MulticastStream', default: 4 },
    receivers: { text: 'number of receivers, which all read', default: 2 },
  },
  async run({ rounds, seconds, senders, receivers }, stage) {
    const all: Round[] = [];
    for (let round = 0; round < rounds; round += 1) {
      // The observer shares a process with all of the load, so the daemon must not disconnect it as a slow client.
      const fresh = stage.fresh({ maxSessionMessages: MANY_SESSION_MESSAGES });
      try {
        all.push(await oneRound(fresh, seconds, senders, receivers));
      } finally {
        await fresh.close();
      }
    }
    const problems = all.flatMap(({ verdict }) => verdict.problems);
    const exits = all.map(({ exitMs }) => exitMs);
    const backlogs = all.map(({ backlog }) => backlog);
    const sum = (key: 'accepted' | 'notSent' | 'unknown') =>
      all.reduce((total, { verdict }) => total + verdict[key], 0);
    return [
      { name: 'load, median', value: median(all.map(({ rate }) => rate)), unit: 'messages/s' },
      { name: 'events queued at the signal, median', value: median(backlogs), unit: '' },
      { name: 'events queued at the signal, most', value: Math.max(...backlogs), unit: '' },
      { name: 'exit after SIGTERM, median', value: median(exits), unit: 'ms' },
      { name: 'exit after SIGTERM, longest', value: Math.max(...exits), unit: 'ms', atMost: BOUND_MS },
      { name: 'messages with the response OK', value: sum('accepted'), unit: '' },
      { name: 'messages reported as not sent', value: sum('notSent'), unit: '' },
      { name: 'messages with an unknown outcome', value: sum('unknown'), unit: '' },
      { name: 'broken guarantees', value: problems.length, unit: '', atMost: 0 },
      ...[...new Set(problems)]
        .slice(0, SHOWN_PROBLEMS)
        .map((name) => ({ name, value: problems.filter((one) => one === name).length, unit: '', atMost: 0 })),
    ];
  },
};

/** Number of broken guarantees that the report names. */
const SHOWN_PROBLEMS = 5;

interface Round {
  readonly exitMs: number;
  readonly backlog: number;
  /** Messages per second. */
  readonly rate: number;
  readonly verdict: DrainVerdict;
}

async function oneRound(stage: Stage, seconds: number, senders: number, receivers: number): Promise<Round> {
  const daemon = await stage.daemon('embedded');
  const sidecar = await stage.sidecar('embedded');
  const load = await DrainLoad.start({
    target: sidecar.tcpTarget,
    daemon: String(daemon.port),
    unarySenders: Math.floor(senders / 2),
    streamSenders: Math.ceil(senders / 2),
    receivers,
    payloadBytes: PAYLOAD_BYTES,
    window: WINDOW,
  });
  try {
    const [before, begun] = [load.observed, performance.now()];
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const rate = ((load.observed - before) * 1000) / (performance.now() - begun);
    const backlog = await load.backlog();
    const signalled = performance.now();
    sidecar.signal('SIGTERM');
    const { code } = await within(sidecar.exited, 'the exit', 60_000);
    const exitMs = performance.now() - signalled;
    const verdict = await load.finish();
    const problems = code === 0 ? verdict.problems : [`exit code ${code}`, ...verdict.problems];
    return { exitMs, backlog, rate, verdict: { ...verdict, problems } };
  } finally {
    await load.close();
  }
}
