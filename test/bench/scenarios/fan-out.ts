import { LoadMeter, loadFigures } from '../load.js';
import { flood } from '../native/flooder.js';
import { messageCount, type Scenario } from '../scenario.js';
import { peerFlow } from './flow.js';
import { AFTER_WARM_UP, WARM_UP, warmUpRule } from './measured.js';
import { CPU_FIGURES } from './throughput.js';

const SIZE = 100;
/** Number of messages of the warm-up of the C tools. */
const NATIVE_WARM_UP = 1000;

function fanOut(receivers: number, perSecond: number, quickSubjects: readonly string[]): Scenario {
  return {
    id: `fan-out-${receivers}`,
    text: `One sender, ${receivers} receivers, ${SIZE} bytes, RELIABLE. Deliveries per second, ${AFTER_WARM_UP}. Each C receiver is a process. The other receivers are connections of one process.`,
    figures: [{ name: 'deliveries', unit: '1/s', better: 'more' }, ...CPU_FIGURES, WARM_UP],
    subjects: [
      ...['c-real', 'c-embedded', 'session-real', 'session-embedded'],
      ...['sidecar-real', 'sidecar-embedded', 'sidecar-inside', 'nats', 'redis'],
    ],
    quickSubjects,
    async run(subject, stage, effort) {
      const opened = await subject.open(stage);
      const count = messageCount(perSecond, effort);
      const deliveries = (seconds: number) => (count * receivers) / seconds;
      if (opened.kind === 'native') {
        const native = { size: SIZE, count, warmUp: NATIVE_WARM_UP };
        const meter = new LoadMeter(opened.servers);
        const { seconds, wholeSeconds, cpu } = await flood({ ...opened, ...native, receivers });
        const used = loadFigures({ ...cpu, ...meter.cpuSeconds() }, wholeSeconds, native.warmUp + count);
        const figures = { ...used.figures, [WARM_UP.name]: NATIVE_WARM_UP };
        return { figures: { ...figures, deliveries: deliveries(seconds) }, load: used.load };
      }
      const topics = new Array<string>(receivers).fill(stage.freshName('fan'));
      const { seconds, figures, load } = await peerFlow(stage, opened, {
        ...{ size: SIZE, count, warmUp: warmUpRule(perSecond, effort), topics, each: 'all' },
      });
      return { figures: { deliveries: deliveries(seconds), ...figures }, load };
    },
  };
}

export const FAN_OUT: readonly Scenario[] = [
  fanOut(10, 15_000, ['c-real', 'c-embedded', 'sidecar-embedded']),
  fanOut(100, 1000, []),
];
