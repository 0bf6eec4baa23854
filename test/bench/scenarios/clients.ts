import { percentile } from '../percentiles.js';
import type { Figure, Scenario } from '../scenario.js';
import { median } from '../statistics.js';
import { CLIENT_SUBJECTS, clientOf } from '../subjects.js';

const SIZES = [
  { name: '100B', bytes: 100 },
  { name: '1KB', bytes: 1000 },
  { name: '10KB', bytes: 10_000 },
] as const;
const ROUND_TRIPS_PER_SECOND = 200;

const OF_RAW: Figure = { name: 'of raw', unit: '×', better: 'more' };

const subjects = CLIENT_SUBJECTS.map(({ id }) => id);
/** One client that needs only Node, and one that must be built. */
const quickSubjects = subjects.filter((id) => ['client-typescript', 'client-go'].includes(id));

const throughput = ({ name, bytes }: (typeof SIZES)[number]): Scenario => ({
  id: `clients-throughput-${name}`,
  text: `For each language, one process uses the client to send FIFO messages of ${bytes} bytes to its own group, and receives them. Unix socket, embedded daemon as its own process. Received messages per second. Raw: the same work with only the gRPC library and the generated stubs of the language.`,
  figures: [
    { name: 'messages', unit: '1/s', better: 'more' },
    { name: 'raw messages', unit: '1/s', better: 'more' },
    OF_RAW,
  ],
  subjects,
  quickSubjects: name === '100B' ? quickSubjects : [],
  async run(subject, stage, effort) {
    const { unixTarget: target } = await stage.sidecar('embedded');
    const driver = await stage.client(...clientOf(subject));
    const rate = async (raw: boolean) => {
      const { messages, seconds } = await driver.measure('benchThroughput', {
        ...{ target, raw, payloadBytes: bytes },
        seconds: Math.max(1, Math.round(effort.seconds)),
      });
      return (messages as number) / (seconds as number);
    };
    const raw = await rate(true);
    const client = await rate(false);
    return { figures: { messages: client, 'raw messages': raw, 'of raw': client / raw } };
  },
});

const roundTrip: Scenario = {
  id: 'clients-round-trip',
  text: 'For each language, one process uses the client to send messages of 100 bytes to its own group with unary Multicast, and waits for each message. Unix socket, embedded daemon as its own process. Raw: the same work with only the generated stubs.',
  figures: [
    { name: 'p50', unit: 'µs', better: 'less' },
    { name: 'p99', unit: 'µs', better: 'less' },
    { name: 'raw p50', unit: 'µs', better: 'less' },
    { name: 'round trip, × raw', unit: '×', better: 'less' },
  ],
  subjects,
  quickSubjects,
  async run(subject, stage, effort) {
    const { unixTarget: target } = await stage.sidecar('embedded');
    const driver = await stage.client(...clientOf(subject));
    const count = Math.max(20, Math.round(effort.seconds * ROUND_TRIPS_PER_SECOND));
    const latencies = async (raw: boolean) => {
      const { latenciesUs } = await driver.measure('benchRoundTrip', {
        target,
        raw,
        payloadBytes: 100,
        count,
      });
      return latenciesUs as number[];
    };
    const raw = median(await latencies(true));
    const client = await latencies(false);
    const p50 = median(client);
    const p99 = percentile(client, 0.99);
    return { figures: { p50, p99, 'raw p50': raw, 'round trip, × raw': p50 / raw } };
  },
};

export const CLIENTS: readonly Scenario[] = [...SIZES.map(throughput), roundTrip];
