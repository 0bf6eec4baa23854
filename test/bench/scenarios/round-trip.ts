import { nativePing } from '../native/pinger.js';
import { percentilesOf } from '../percentiles.js';
import { RoleProcess } from '../role-process.js';
import type { PeerSpec } from '../roles/order.js';
import type { Effort, Figure, Scenario } from '../scenario.js';
import type { Stage } from '../stage.js';
import type { Opened } from '../subjects.js';
import { windowOf } from './flow.js';
import { capacity } from './throughput.js';

const SIZE = 100;
const PERIOD_MS = 2;
const WARM_UP = 200;

const FIGURES: readonly Figure[] = ['p50', 'p99', 'p99.9'].map((name) => ({
  name,
  unit: 'µs',
  better: 'less',
}));

const SUBJECTS = [
  ...['c-real', 'c-embedded', 'session-real', 'session-embedded', 'sidecar-real', 'sidecar-real-tcp'],
  ...['sidecar-real-unary', 'sidecar-embedded', 'sidecar-inside', 'sidecar-inside-unary', 'nats', 'redis'],
];
const QUICK = ['c-real', 'session-embedded', 'sidecar-embedded', 'nats', 'redis'];

const atRest: Scenario = {
  id: 'round-trip-rest',
  text: `One process sends ${SIZE} bytes every ${PERIOD_MS} ms, RELIABLE, and another process sends each message back. The time from the send to the reply.`,
  figures: FIGURES,
  subjects: SUBJECTS,
  quickSubjects: QUICK,
  run: async (subject, stage, effort) => ({
    figures: percentilesOf(await roundTrips(stage, await subject.open(stage), effort)),
  }),
};

const underLoad: Scenario = {
  id: 'round-trip-load',
  text: 'The same while another sender and receiver use half of the rate that this subject reached just before. The C tools cannot limit their rate, so Session sends this load.',
  figures: [...FIGURES, { name: 'load', unit: '1/s', better: 'more' }],
  subjects: SUBJECTS.filter((id) => !id.endsWith('-unary')),
  quickSubjects: ['sidecar-embedded'],
  async run(subject, stage, effort) {
    const opened = await subject.open(stage);
    const rate = (await capacity(subject, stage, { ...effort, seconds: effort.seconds / 2 })) / 2;
    const stop = await startLoad(stage, loadPeer(opened), rate);
    try {
      return { figures: { ...percentilesOf(await roundTrips(stage, opened, effort)), load: rate } };
    } finally {
      await stop();
    }
  },
};

async function roundTrips(stage: Stage, opened: Opened, effort: Effort): Promise<readonly number[]> {
  const topic = stage.freshName('ping');
  const count = Math.max(100, Math.round((effort.seconds * 1000) / PERIOD_MS));
  const numbers = { size: SIZE, warmUp: Math.min(WARM_UP, count), count, periodMs: PERIOD_MS };
  if (opened.kind === 'native') return nativePing({ ...opened, ...numbers, group: topic });
  const { peer } = opened;
  const reflector = await RoleProcess.start({ job: 'reflect', peer, topic });
  try {
    reflector.go();
    const pinger = await RoleProcess.start({ job: 'ping', peer, topic, ...numbers });
    try {
      pinger.go();
      const { samples = [] } = await pinger.answer();
      await Promise.all([pinger.stop(), reflector.stop()]);
      return samples;
    } finally {
      await pinger.end();
    }
  } finally {
    await reflector.end();
  }
}

const loadPeer = (opened: Opened): PeerSpec =>
  opened.kind === 'native' ? { kind: 'session', address: String(opened.daemonPort) } : opened.peer;

async function startLoad(stage: Stage, peer: PeerSpec, rate: number): Promise<() => Promise<void>> {
  const topics = [stage.freshName('load')];
  const numbers = { warmUp: 1, count: 0, untilStopped: true } as const;
  const receiver = await RoleProcess.start({
    ...{ job: 'receive', peer, topics, each: 'share' },
    ...numbers,
  });
  try {
    const window = windowOf(SIZE);
    const sender = await RoleProcess.start({
      ...{ job: 'send', peer, topics, size: SIZE, window, rate },
      ...numbers,
    });
    receiver.go();
    sender.go();
    return async () => {
      await sender.stop();
      await receiver.stop();
    };
  } catch (error) {
    await receiver.end();
    throw error;
  }
}

export const ROUND_TRIP: readonly Scenario[] = [atRest, underLoad];
