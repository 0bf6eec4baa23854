import { nativePing } from '../native/pinger.js';
import { percentilesOf } from '../percentiles.js';
import { RoleProcess } from '../role-process.js';
import type { PeerSpec, PingOrder } from '../roles/order.js';
import type { Effort, Figure, Measurement, Scenario } from '../scenario.js';
import type { Stage } from '../stage.js';
import type { Opened } from '../subjects.js';
import { windowOf } from './flow.js';
import { WARM_UP } from './measured.js';
import { capacity } from './throughput.js';

const SIZE = 100;
const PERIOD_MS = 2;
/** The C tools have no window of their own. */
const NATIVE_WARM_UP = 500;

const FIGURES: readonly Figure[] = ['p50', 'p99', 'p99.9'].map((name) => ({
  name,
  unit: 'µs',
  better: 'less',
}));

const WARM_UP_RULE = { window: 500, maxWindows: 40 };

const SUBJECTS = [
  ...['c-real', 'c-embedded', 'session-real', 'session-embedded', 'sidecar-real', 'sidecar-real-tcp'],
  ...['sidecar-real-unary', 'sidecar-embedded', 'sidecar-inside', 'sidecar-inside-unary'],
  ...['grpc-relay', 'nats', 'redis', 'dapr'],
];
const QUICK = ['c-real', 'session-embedded', 'sidecar-embedded', 'grpc-relay', 'nats', 'redis', 'dapr'];
/** Subjects over gRPC, and NATS. */
const OVER_GRPC = ['sidecar-real', 'sidecar-embedded', 'sidecar-inside', 'grpc-relay', 'nats', 'dapr'];

const PAIR = `One process sends ${SIZE} bytes every ${PERIOD_MS} ms, RELIABLE, and another process sends each message back.`;

const atRest: Scenario = {
  id: 'round-trip-rest',
  text: `${PAIR} The time from the send to the reply, after a warm-up until the median and the processor time are stable.`,
  figures: [...FIGURES, WARM_UP],
  subjects: SUBJECTS,
  quickSubjects: QUICK,
  run: async (subject, stage, effort) => roundTrips(stage, await subject.open(stage), effort),
};

const backToBack: Scenario = {
  id: 'round-trip-back-to-back',
  text: `One process sends ${SIZE} bytes, RELIABLE, and another process sends each message back. The first process sends the next message when the reply has arrived. The time from the send to the reply.`,
  figures: [...FIGURES, WARM_UP],
  subjects: OVER_GRPC,
  quickSubjects: ['grpc-relay'],
  run: async (subject, stage, effort) =>
    roundTrips(stage, await subject.open(stage), effort, { periodMs: 0 }),
};

const COLD_COUNT = 1000;

const cold: Scenario = {
  id: 'round-trip-cold',
  text: `${PAIR} The time from the send to the reply, for the first ${COLD_COUNT} messages of new processes, without a warm-up.`,
  figures: FIGURES,
  subjects: OVER_GRPC,
  quickSubjects: [],
  async run(subject, stage, effort) {
    const fresh = stage.fresh();
    try {
      const opened = await subject.open(fresh);
      return await roundTrips(fresh, opened, effort, { count: COLD_COUNT, warmUp: undefined });
    } finally {
      await fresh.close();
    }
  },
};

const unary: Scenario = {
  id: 'unary-call',
  text: `One process makes unary calls with ${SIZE} bytes, one every ${PERIOD_MS} ms. The time until the response, after a warm-up until the median and the processor time are stable.`,
  figures: [...FIGURES, WARM_UP],
  subjects: ['grpc-unary', 'sidecar-real-unary', 'sidecar-embedded-unary', 'sidecar-inside-unary'],
  quickSubjects: ['grpc-unary', 'sidecar-inside-unary'],
  async run(subject, stage, effort) {
    const { peer } = (await subject.open(stage)) as Extract<Opened, { kind: 'peer' }>;
    const order = pingOrder(stage, effort, {});
    return pinged(await RoleProcess.start(stage.node, { ...order, job: 'call', peer }));
  },
};

const underLoad: Scenario = {
  id: 'round-trip-load',
  text: `${PAIR} Another sender and receiver use half of the rate that the subject reached in an earlier measurement. The C tools cannot limit their rate, so the sidecar's Spread library sends this load.`,
  figures: [...FIGURES, { name: 'load', unit: '1/s', better: 'more' }],
  subjects: SUBJECTS.filter((id) => !id.endsWith('-unary') && id !== 'grpc-relay'),
  quickSubjects: ['sidecar-embedded'],
  async run(subject, stage, effort) {
    const opened = await subject.open(stage);
    const rate = (await capacity(subject, stage, { ...effort, seconds: effort.seconds / 2 })) / 2;
    const stop = await startLoad(stage, loadPeer(opened), rate);
    try {
      const { figures } = await roundTrips(stage, opened, effort);
      return { figures: { ...figures, load: rate } };
    } finally {
      await stop();
    }
  },
};

type Variant = Partial<Pick<PingOrder, 'count' | 'periodMs' | 'warmUp'>>;

function pingOrder(stage: Stage, effort: Effort, variant: Variant) {
  const count = Math.max(100, Math.round((effort.seconds * 1000) / PERIOD_MS));
  const topic = stage.freshName('ping');
  return {
    topic,
    size: SIZE,
    count,
    periodMs: PERIOD_MS,
    warmUp: effort.quick ? undefined : WARM_UP_RULE,
    ...variant,
  };
}

async function roundTrips(
  stage: Stage,
  opened: Opened,
  effort: Effort,
  variant: Variant = {},
): Promise<Measurement> {
  const order = pingOrder(stage, effort, variant);
  const { topic } = order;
  if (opened.kind === 'native') {
    const warmUp = Math.min(NATIVE_WARM_UP, order.count);
    const samples = await nativePing({ ...opened, ...order, warmUp, group: topic });
    return { figures: { ...percentilesOf(samples), [WARM_UP.name]: warmUp } };
  }
  const { peer } = opened;
  const reflector = await RoleProcess.start(stage.node, { job: 'reflect', peer, topic });
  try {
    reflector.go();
    const measured = await pinged(await RoleProcess.start(stage.node, { ...order, job: 'ping', peer }));
    await reflector.stop();
    return measured;
  } finally {
    await reflector.end();
  }
}

async function pinged(pinger: RoleProcess): Promise<Measurement> {
  try {
    pinger.go();
    const { samples = [], warmUp = 0 } = await pinger.answer();
    await pinger.stop();
    return { figures: { ...percentilesOf(samples), [WARM_UP.name]: warmUp } };
  } finally {
    await pinger.end();
  }
}

const loadPeer = (opened: Opened): PeerSpec =>
  opened.kind === 'native' ? { kind: 'session', address: String(opened.daemonPort) } : opened.peer;

async function startLoad(stage: Stage, peer: PeerSpec, rate: number): Promise<() => Promise<void>> {
  const topics = [stage.freshName('load')];
  const receiver = await RoleProcess.start(stage.node, {
    ...{ job: 'receive', peer, topics, each: 'share' },
  });
  try {
    const window = windowOf(SIZE);
    const sender = await RoleProcess.start(stage.node, {
      ...{ job: 'send', peer, topics, size: SIZE, window, rate },
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

export const ROUND_TRIP: readonly Scenario[] = [atRest, backToBack, cold, unary, underLoad];
