import { LoadMeter, loadFigures } from '../load.js';
import { flood, floodLoop } from '../native/flooder.js';
import { RoleProcess } from '../role-process.js';
import { type Effort, type Figure, type Measurement, messageCount, type Scenario } from '../scenario.js';
import type { Stage } from '../stage.js';
import type { Opened, Subject } from '../subjects.js';
import { type Flow, peerFlow } from './flow.js';
import { AFTER_WARM_UP, measuredBy, WARM_UP, warmUpRule } from './measured.js';

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
  'dapr',
];
const QUICK = ['c-real', 'c-embedded', 'session-embedded', 'sidecar-embedded', 'nats', 'redis'];

/** Number of messages of the warm-up of the C tools. They are compiled, and they count thousands of messages. */
const nativeWarmUp = (count: number) => Math.max(1000, Math.round(count / 5000) * 1000);

function throughput(
  name: string,
  bytes: number,
  perSecond: number,
  subjects: readonly string[],
  quickSubjects: readonly string[],
): Scenario {
  return {
    id: `throughput-${name}`,
    text: `One sending and one receiving process, ${bytes} bytes, RELIABLE${name === 'unary' ? ', a unary call for each message' : ''}. Messages per second at the receiver, ${AFTER_WARM_UP}.`,
    figures: [RATE, ...CPU_FIGURES, WARM_UP],
    subjects,
    quickSubjects,
    async run(subject, stage, effort) {
      const opened = await subject.open(stage);
      const count = messageCount(perSecond, effort);
      return oneToOne(stage, opened, { size: bytes, count, warmUp: warmUpRule(perSecond, effort) });
    },
  };
}

async function oneToOne(
  stage: Stage,
  opened: Opened,
  flow: Pick<Flow, 'size' | 'count' | 'warmUp'>,
): Promise<Measurement> {
  const { size, count } = flow;
  if (opened.kind === 'native') {
    const warmUp = nativeWarmUp(count);
    const meter = new LoadMeter(opened.servers);
    const { seconds, wholeSeconds, cpu } = await flood({ ...opened, size, count, warmUp, receivers: 1 });
    const used = loadFigures({ ...cpu, ...meter.cpuSeconds() }, wholeSeconds, warmUp + count);
    const figures = { messages: count / seconds, ...used.figures, [WARM_UP.name]: warmUp };
    return { figures, load: used.load };
  }
  const topics = [stage.freshName('topic')];
  const { seconds, figures, load } = await peerFlow(stage, opened, { ...flow, topics, each: 'share' });
  return { figures: { messages: count / seconds, ...figures }, load };
}

/** Messages per second from one process to another, 100 bytes. `round-trip-load` uses half of this rate. */
export async function capacity(subject: Subject, stage: Stage, effort: Effort): Promise<number> {
  const count = messageCount(100_000, effort);
  const { figures } = await oneToOne(stage, await subject.open(stage), {
    ...{ size: 100, count, warmUp: warmUpRule(100_000, effort) },
  });
  return figures.messages as number;
}

const LOOP_WINDOW = 200;
const LOOP_PER_SECOND = 50_000;

const loop: Scenario = {
  id: 'loop-100B',
  text: `One process receives its own messages, 100 bytes, RELIABLE. At most ${LOOP_WINDOW} messages are in transit, as with spflooder without flags. Messages per second, ${AFTER_WARM_UP}.`,
  figures: [
    RATE,
    ...['peer', 'sidecar', 'daemon', 'server'].map(
      (name) => ({ name: `${name} CPU`, unit: 'µs/message', better: 'less' }) as const,
    ),
    WARM_UP,
  ],
  subjects: EVERYWHERE,
  quickSubjects: ['c-real', 'sidecar-inside'],
  async run(subject, stage, effort) {
    const opened = await subject.open(stage);
    const count = messageCount(LOOP_PER_SECOND, effort);
    if (opened.kind === 'peer') return peerLoop(stage, opened, count, effort);
    const warmUp = nativeWarmUp(count);
    const meter = new LoadMeter(opened.servers);
    const { seconds, cpu } = await floodLoop({ spreadName: opened.spreadName, size: 100, count, warmUp });
    const used = loadFigures({ ...cpu, ...meter.cpuSeconds() }, meter.seconds, warmUp + count);
    const figures = { messages: count / seconds, ...used.figures, [WARM_UP.name]: warmUp };
    return { figures, load: used.load };
  },
};

async function peerLoop(
  stage: Stage,
  { peer, servers }: Extract<Opened, { kind: 'peer' }>,
  count: number,
  effort: Effort,
): Promise<Measurement> {
  const role = await RoleProcess.start(stage.node, {
    ...{ job: 'loop', peer, topic: stage.freshName('loop'), size: 100, window: LOOP_WINDOW },
    measured: { warmUp: warmUpRule(LOOP_PER_SECOND, effort), count },
  });
  try {
    role.go();
    const processes = [{ name: 'peer', pid: role.pid }, ...servers];
    const { seconds, load, figures } = await measuredBy(role, processes, count);
    await role.stop();
    return { figures: { messages: count / seconds, ...figures }, load };
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
  throughput('unary', 100, 3000, UNARY, ['sidecar-inside-unary', 'dapr']),
  loop,
];
