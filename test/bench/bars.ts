import { type Reference, type Results, ratioOf, summaryOf } from './results.js';
import type { Summary } from './statistics.js';

/** A figure with its required value `bar` and a better target `beyond`. */
export interface Bar {
  readonly figure: string;
  readonly of: Reference;
  /** If set, the figure is the ratio of `of` to `to`. */
  readonly to?: Reference;
  readonly unit: string;
  readonly better: 'more' | 'less';
  readonly bar: number;
  readonly beyond: number;
}

export type Verdict = 'beyond' | 'met' | 'missed' | 'not measured';

export interface JudgedBar extends Bar {
  readonly measured: Summary | undefined;
  readonly verdict: Verdict;
}

const messages = (scenario: string, subject: string): Reference => ({
  scenario,
  subject,
  figure: 'messages',
});
const roundTrip = (subject: string, figure: 'p50' | 'p99', scenario = 'round-trip-rest'): Reference => ({
  scenario,
  subject,
  figure,
});
const cost = (scenario: string): Reference => ({
  scenario,
  subject: 'sidecar-embedded',
  figure: 'sidecar CPU',
});
const deliveries = (subject: string): Reference => ({
  scenario: 'fan-out-10',
  subject,
  figure: 'deliveries',
});
const starts = (subject: string, figure: string): Reference => ({ scenario: 'start', subject, figure });

const atLeast = (bar: number, beyond: number) => ({ unit: '×', better: 'more', bar, beyond }) as const;
const atMost = (bar: number, beyond: number) => ({ unit: '×', better: 'less', bar, beyond }) as const;

function throughSidecar(size: string, bar: number, beyond: number): Bar {
  const scenario = `throughput-${size}`;
  return {
    figure: `one to one through the sidecar, ${size}, against spflooder on the same daemon`,
    of: messages(scenario, 'sidecar-real'),
    to: messages(scenario, 'c-real'),
    ...atLeast(bar, beyond),
  };
}

const DAEMONS = [
  { subject: 'sidecar-inside', daemon: 'embedded daemon inside', relay: atMost(1.3, 1.1) },
  { subject: 'sidecar-real', daemon: 'real daemon', relay: atMost(1.6, 1.3) },
];

const ROUND_TRIPS: readonly Bar[] = DAEMONS.flatMap(({ subject, daemon, relay }) => [
  {
    figure: `round trip p50, ${daemon}, against the bare grpc-js relay`,
    of: roundTrip(subject, 'p50'),
    to: roundTrip('grpc-relay', 'p50'),
    ...relay,
  },
  {
    figure: `round trip p99, ${daemon}, against the bare grpc-js relay`,
    of: roundTrip(subject, 'p99'),
    to: roundTrip('grpc-relay', 'p99'),
    ...atMost(1.5, 1.1),
  },
  {
    figure: `first 1,000 round trips p50, ${daemon}, against warm`,
    of: roundTrip(subject, 'p50', 'round-trip-cold'),
    to: roundTrip(subject, 'p50'),
    ...atMost(3, 2),
  },
  {
    figure: `unary Multicast p50, ${daemon}, against bare grpc-js unary`,
    of: roundTrip(`${subject}-unary`, 'p50', 'unary-call'),
    to: roundTrip('grpc-unary', 'p50', 'unary-call'),
    ...atMost(1.25, 1.1),
  },
]);

/** The module `spread` may take three times as long as the C wrapper. */
const moduleAgainstWrapper = (call: 'receive' | 'multicast'): Bar => ({
  figure: `${call}() of the module spread against the C wrapper, 100B`,
  of: { scenario: 'module-spread', subject: 'module-real', figure: call },
  to: { scenario: 'module-spread', subject: 'c-wrapper-real', figure: call },
  ...atLeast(1 / 3, 1),
});

export const BARS: readonly Bar[] = [
  ...ROUND_TRIPS,
  {
    figure: 'round trip p50, real daemon, against NATS',
    of: roundTrip('sidecar-real', 'p50'),
    to: roundTrip('nats', 'p50'),
    ...atMost(1.8, 1.3),
  },
  throughSidecar('100B', 1, 1.2),
  throughSidecar('10KB', 0.4, 0.6),
  throughSidecar('100KB', 0.4, 0.6),
  {
    figure: 'one to one, 100B, embedded daemon inside, against NATS',
    of: messages('throughput-100B', 'sidecar-inside'),
    to: messages('throughput-100B', 'nats'),
    ...atLeast(0.5, 0.8),
  },
  {
    figure: 'spflooder on the embedded daemon, 100B, against the real daemon',
    of: messages('throughput-100B', 'c-embedded'),
    to: messages('throughput-100B', 'c-real'),
    ...atLeast(1.5, 2.5),
  },
  {
    figure: 'fan-out to 10 native receivers on the embedded daemon, against the real daemon',
    of: deliveries('c-embedded'),
    to: deliveries('c-real'),
    ...atLeast(1.5, 3),
  },
  {
    figure: 'draining 500,000 events of 100 bytes by one Receive',
    of: { scenario: 'drain', subject: 'sidecar-embedded', figure: 'events' },
    ...{ unit: '1/s', better: 'more', bar: 300_000, beyond: 600_000 },
  },
  {
    figure: 'MulticastStream accepted, 100B, embedded daemon',
    of: messages('accepted', 'sidecar-embedded'),
    ...{ unit: '1/s', better: 'more', bar: 100_000, beyond: 250_000 },
  },
  {
    figure: 'MulticastStream accepted, 100B, embedded daemon inside',
    of: messages('accepted', 'sidecar-inside'),
    ...{ unit: '1/s', better: 'more', bar: 100_000, beyond: 250_000 },
  },
  {
    figure: 'processor time per message with 500 mailboxes, traffic to all in turn, against 1 mailbox',
    of: cost('mailboxes-500'),
    to: cost('mailboxes-1'),
    ...atMost(4, 2),
  },
  {
    figure: 'processor time per message with 500 mailboxes, traffic to one of them, against 1 mailbox',
    of: cost('mailboxes-500-idle'),
    to: cost('mailboxes-1'),
    ...atMost(1.3, 1.1),
  },
  {
    figure: 'processor time per message behind 1,000,000 queued messages, against an empty queue',
    of: { scenario: 'deep-queue', subject: 'sidecar-embedded', figure: 'deep against empty' },
    ...atMost(1.3, 1.1),
  },
  {
    figure: 'idle resident memory',
    of: starts('sidecar-embedded', 'memory'),
    ...{ unit: 'MiB', better: 'less', bar: 80, beyond: 70 },
  },
  {
    figure: 'idle resident memory, embedded daemon inside',
    of: starts('sidecar-inside', 'memory'),
    ...{ unit: 'MiB', better: 'less', bar: 80, beyond: 70 },
  },
  {
    figure: 'memory of each further idle mailbox',
    of: { scenario: 'mailboxes-idle-cost', subject: 'sidecar-embedded', figure: 'memory' },
    ...{ unit: 'KiB', better: 'less', bar: 20, beyond: 12 },
  },
  {
    figure: 'time from start to ready',
    of: starts('sidecar-embedded', 'ready'),
    ...{ unit: 'ms', better: 'less', bar: 400, beyond: 300 },
  },
  moduleAgainstWrapper('receive'),
  moduleAgainstWrapper('multicast'),
];

export function judge(results: Results, bars: readonly Bar[] = BARS): readonly JudgedBar[] {
  return bars.map((bar) => {
    const measured = bar.to ? ratioOf(results, bar.of, bar.to) : summaryOf(results, bar.of);
    return { ...bar, measured, verdict: verdictOf(bar, measured?.median) };
  });
}

function verdictOf({ better, bar, beyond }: Bar, value: number | undefined): Verdict {
  if (value === undefined) return 'not measured';
  const reaches = (bound: number) => (better === 'more' ? value >= bound : value <= bound);
  return reaches(beyond) ? 'beyond' : reaches(bar) ? 'met' : 'missed';
}

/** The scenarios and subjects that the bars need, as filters. */
export function neededFor(bars: readonly Bar[] = BARS): readonly string[] {
  const needed = bars.flatMap(({ of, to }) => (to ? [of, to] : [of]));
  return [...new Set(needed.map(({ scenario, subject }) => `${scenario}/${subject}`))];
}
