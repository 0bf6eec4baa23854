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
const p50 = (subject: string): Reference => ({ scenario: 'round-trip-rest', subject, figure: 'p50' });
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

function throughSidecar(size: string, beyond: number): Bar {
  const scenario = `throughput-${size}`;
  return {
    figure: `one to one through the sidecar, ${size}, against spflooder on the same daemon`,
    of: messages(scenario, 'sidecar-real'),
    to: messages(scenario, 'c-real'),
    ...atLeast(0.7, beyond),
  };
}

function againstNats(subject: string, daemon: string): Bar[] {
  return [
    {
      figure: `one to one, 100B, ${daemon}, against NATS`,
      of: messages('throughput-100B', subject),
      to: messages('throughput-100B', 'nats'),
      ...atLeast(0.3, 0.7),
    },
    {
      figure: `round trip p50, ${daemon}, against NATS`,
      of: p50(subject),
      to: p50('nats'),
      ...atMost(1.5, 1),
    },
  ];
}

/** The module `spread` may take three times as long as the C wrapper. */
const moduleAgainstWrapper = (call: 'receive' | 'multicast'): Bar => ({
  figure: `${call}() of the module spread against the C wrapper, 100B`,
  of: { scenario: 'module-spread', subject: 'module-real', figure: call },
  to: { scenario: 'module-spread', subject: 'c-wrapper-real', figure: call },
  ...atLeast(1 / 3, 1),
});

export const BARS: readonly Bar[] = [
  throughSidecar('100B', 1),
  throughSidecar('10KB', 0.9),
  throughSidecar('100KB', 0.9),
  {
    figure: 'round trip p50 through the sidecar, against spping',
    of: p50('sidecar-real'),
    to: p50('c-real'),
    ...atMost(4, 2.5),
  },
  {
    figure: 'spflooder on the embedded daemon, 100B, against the real one',
    of: messages('throughput-100B', 'c-embedded'),
    to: messages('throughput-100B', 'c-real'),
    ...atLeast(1.5, 2.5),
  },
  {
    figure: 'fan-out 1 to 10 on the embedded daemon, against the real one, native receivers',
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
  ...againstNats('sidecar-real', 'real daemon'),
  ...againstNats('sidecar-embedded', 'embedded daemon'),
  ...againstNats('sidecar-inside', 'embedded daemon inside'),
  {
    figure: 'cost per message at 500 mailboxes against 1, traffic to all in turn',
    of: cost('mailboxes-500'),
    to: cost('mailboxes-1'),
    ...atMost(1.3, 1.1),
  },
  {
    figure: 'cost per message at 500 mailboxes against 1, traffic to one of them',
    of: cost('mailboxes-500-idle'),
    to: cost('mailboxes-1'),
    ...atMost(1.3, 1.1),
  },
  {
    figure: 'cost per message at a queue of 1,000,000 against empty',
    of: { scenario: 'deep-queue', subject: 'sidecar-embedded', figure: 'deep against empty' },
    ...atMost(1.3, 1.1),
  },
  {
    figure: 'idle resident memory',
    of: starts('sidecar-embedded', 'memory'),
    ...{ unit: 'MiB', better: 'less', bar: 100, beyond: 80 },
  },
  {
    figure: 'idle resident memory, embedded daemon inside',
    of: starts('sidecar-inside', 'memory'),
    ...{ unit: 'MiB', better: 'less', bar: 100, beyond: 80 },
  },
  {
    figure: 'each further idle mailbox',
    of: { scenario: 'mailboxes-idle-cost', subject: 'sidecar-embedded', figure: 'memory' },
    ...{ unit: 'KiB', better: 'less', bar: 40, beyond: 15 },
  },
  {
    figure: 'start to ready',
    of: starts('sidecar-embedded', 'ready'),
    ...{ unit: 'ms', better: 'less', bar: 1000, beyond: 400 },
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
