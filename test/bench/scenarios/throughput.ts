import { LoadMeter, loadFigures } from '../load.js';
import { flood, floodLoop } from '../native/flooder.js';
import { RoleProcess } from '../role-process.js';
import { type Effort, type Figure, type Measurement, messageCount, type Scenario } from '../scenario.js';
import type { Stage } from '../stage.js';
import type { Opened, Subject } from '../subjects.js';
import { peerFlow } from './flow.js';

const RATE: Figure = { name: 'messages', unit: '1/s', better: 'more' };
export const CPU_FIGURES: readonly Figure[] = ['sender', 'receiver', 'sidecar', 'daemon', 'server'].map(
  (name) => ({ name: `${name} CPU`, unit: 'µs/message', better: 'less' }),
);

/** Sizes, and the assumed rates that determine the numbers of messages. All subjects use the same. */
const SIZES = [
  { name: '100B', bytes: 100, perSecond: 100_000 },
  { name: '1KB', bytes: 1000, perSecond: 60_000 },
  { name: '10KB', bytes: 10_000, perSecond: 15_000 },
  { name: '100KB', bytes: 100_000, perSecond: 2000 },
] as const;

const EVERYWHERE = [
  ...['c-real', 'c-embedded', 'session-real', 'session-embedded'],
  ...['sidecar-real', 'sidecar-embedded', 'sidecar-inside', 'nats', 'redis'],
];
/** Subjects that are measured with one size only. */
const VARIANTS = ['c-real-tcp', 'sidecar-real-tcp'];
/** One call for each message takes too long for the numbers of the other subjects. */
const UNARY = [
  'sidecar-real-unary',
  'sidecar-real-concurrent',
  'sidecar-inside-unary',
  'sidecar-inside-concurrent',
];
const QUICK = ['c-real', 'c-embedded', 'session-embedded', 'sidecar-embedded', 'nats', 'redis'];

const warmUpOf = (count: number) => Math.max(1000, Math.round(count / 5000) * 1000);

function throughput(
  name: string,
  bytes: number,
  perSecond: number,
  subjects: readonly string[],
  quickSubjects: readonly string[],
): Scenario {
  return {
    id: `throughput-${name}`,
    text: `One sending and one receiving process, ${bytes} bytes, RELIABLE${name === 'unary' ? ', a Multicast call for each message' : ''}. Messages per second at the receiver. The first fifth of the messages is the warm-up.`,
    figures: [RATE, ...CPU_FIGURES],
    subjects,
    quickSubjects,
    async run(subject, stage, effort) {
      const opened = await subject.open(stage);
      const count = messageCount(perSecond, effort);
      return oneToOne(stage, opened, { size: bytes, count, warmUp: warmUpOf(count) });
    },
  };
}

async function oneToOne(
  stage: Stage,
  opened: Opened,
  flow: { size: number; count: number; warmUp: number },
): Promise<Measurement> {
  const { count, warmUp } = flow;
  if (opened.kind === 'native') {
    const meter = new LoadMeter(opened.servers);
    const { seconds, wholeSeconds, cpu } = await flood({ ...opened, ...flow, receivers: 1 });
    const used = loadFigures({ ...cpu, ...meter.cpuSeconds() }, wholeSeconds, warmUp + count);
    return { figures: { messages: count / seconds, ...used.figures }, load: used.load };
  }
  const topics = [stage.freshName('topic')];
  const { seconds, figures, load } = await peerFlow(stage, opened, { ...flow, topics, each: 'share' });
  return { figures: { messages: count / seconds, ...figures }, load };
}

/** Messages per second from one process to another, 100 bytes. `round-trip-load` uses half of this rate. */
export async function capacity(subject: Subject, stage: Stage, effort: Effort): Promise<number> {
  const count = messageCount(100_000, effort);
  const { figures } = await oneToOne(stage, await subject.open(stage), {
    ...{ size: 100, count, warmUp: warmUpOf(count) },
  });
  return figures.messages as number;
}

const LOOP_WINDOW = 200;

const loop: Scenario = {
  id: 'loop-100B',
  text: `One process receives its own messages, 100 bytes, RELIABLE. At most ${LOOP_WINDOW} messages are in transit, as with spflooder without flags.`,
  figures: [
    RATE,
    ...['peer', 'sidecar', 'daemon', 'server'].map(
      (name) => ({ name: `${name} CPU`, unit: 'µs/message', better: 'less' }) as const,
    ),
  ],
  subjects: EVERYWHERE,
  quickSubjects: ['c-real', 'sidecar-inside'],
  async run(subject, stage, effort) {
    const opened = await subject.open(stage);
    const count = messageCount(50_000, effort);
    const flow = { size: 100, count, warmUp: warmUpOf(count) };
    const meter = new LoadMeter(opened.servers);
    const { seconds, cpu } =
      opened.kind === 'native'
        ? await floodLoop({ spreadName: opened.spreadName, ...flow })
        : await peerLoop(stage, opened, flow);
    const used = loadFigures({ ...cpu, ...meter.cpuSeconds() }, meter.seconds, flow.warmUp + count);
    return { figures: { messages: count / seconds, ...used.figures }, load: used.load };
  },
};

async function peerLoop(
  stage: Stage,
  { peer }: Extract<Opened, { kind: 'peer' }>,
  flow: { size: number; count: number; warmUp: number },
): Promise<{ seconds: number; cpu: Record<string, number> }> {
  const role = await RoleProcess.start(stage.node, {
    ...{ job: 'loop', peer, topic: stage.freshName('loop'), window: LOOP_WINDOW },
    ...flow,
  });
  try {
    role.go();
    const { seconds, cpuSeconds } = await role.answer();
    await role.stop();
    return { seconds, cpu: { peer: cpuSeconds } };
  } finally {
    await role.end();
  }
}

export const THROUGHPUT: readonly Scenario[] = [
  ...SIZES.map(({ name, bytes, perSecond }) =>
    throughput(
      name,
      bytes,
      perSecond,
      name === '100B' ? [...EVERYWHERE, ...VARIANTS] : EVERYWHERE,
      name === '100B' ? QUICK : name === '10KB' ? ['sidecar-embedded'] : [],
    ),
  ),
  throughput('unary', 100, 3000, UNARY, ['sidecar-inside-unary']),
  loop,
];
