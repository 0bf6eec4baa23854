import { parseArgs } from 'node:util';

/** The options of `npm run bench`. */
export interface BenchOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly quick: boolean;
  readonly bars: boolean;
  readonly only: readonly string[];
  readonly out: string;
  readonly publish: boolean;
  /** Path of existing results to report instead of measuring. */
  readonly from: string | undefined;
  readonly profile: string | undefined;
  /** Paths of the Node binaries that run our processes. At least one. */
  readonly nodes: readonly string[];
  readonly list: boolean;
  readonly help: boolean;
}

export const USAGE = `npm run bench -- [options]
npm run bench -- check NAME [options]     check behaviour after failures and under full load; check --help lists the names

  --quick              one short round with few subjects: shows that everything runs; its figures are not valid
  --bars               only the measurements for the bars of docs/performance.md, and the table of bars
  --only A/B,…         only these: scenario or scenario/subject, * for any part of a name
  --rounds N           number of rounds; each measures all subjects in turn (default 5)
  --seconds N          approximate time of a measurement (default 2)
  --out FOLDER         folder for results.json, report.txt and chart.svg (default bench-results)
  --from FILE          make the report of an earlier results.json instead of measuring
  --publish            also write the figures and the chart into docs/performance.md
  --node PATH          run sidecar, embedded daemon and roles with this Node binary; repeat it to compare releases
                       (default: the Node binary of this run)
  --profile FOLDER     folder for V8 CPU profiles of sidecar and embedded daemon; the report shows their top functions
  --list               list scenarios and subjects

SPREAD_HOME=/path names a Spread installation with the C tools and the real daemon. PATH must contain nats-server and
redis-server. SPREAD_WRAPPER_PYTHON=/path names a Python with the original C wrapper. DAPRD=/path names daprd. Subjects whose program is missing are skipped.`;

/** @throws Error for an option that is not valid; the message names the option */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      bars: { type: 'boolean', default: false },
      publish: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      only: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      out: { type: 'string', default: 'bench-results' },
      from: { type: 'string' },
      profile: { type: 'string' },
      node: { type: 'string', multiple: true, default: [process.execPath] },
    },
  });
  const { quick } = values;
  const rounds = numberOf('rounds', values.rounds, quick ? 1 : 5);
  if (!Number.isInteger(rounds)) throw new Error(`--rounds must be a whole number; got ${values.rounds}`);
  return {
    ...values,
    only: values.only.flatMap((list) => list.split(',')).filter((filter) => filter !== ''),
    rounds,
    seconds: numberOf('seconds', values.seconds, quick ? 0.1 : 2),
    from: values.from,
    profile: values.profile,
    nodes: values.node,
  };
}

function numberOf(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} must be a number above 0; got ${text}`);
  return value;
}

/** Whether a filter such as `throughput-*` or `fan-out-10/c-real` matches this scenario and subject. */
export function selects(filters: readonly string[], scenario: string, subject: string): boolean {
  return filters.some((filter) => {
    const [first = '*', second = '*'] = filter.split('/');
    return matches(first, scenario) && matches(second, subject);
  });
}

function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}
