import { parseArgs } from 'node:util';
import { crowd } from './crowd.js';
import { cycles } from './cycles.js';
import { drain } from './drain.js';
import { mailboxes } from './mailboxes.js';
import type { Measure } from './measure.js';
import { ready } from './ready.js';
import { stall } from './stall.js';

const MEASURES: Readonly<Record<string, Measure>> = { crowd, cycles, drain, mailboxes, ready, stall };

function usage(): string {
  const lines = Object.entries(MEASURES).flatMap(([name, { text, options }]) => [
    `  ${name.padEnd(12)} ${text}`,
    ...Object.entries(options).map(
      ([option, { text: meaning, default: value }]) =>
        `${' '.repeat(15)}--${option} N: ${meaning} (default ${value})`,
    ),
  ]);
  return ['npm run measure -- <what> [--option N …]', '', ...lines].join('\n');
}

/**
 * Measures one figure. The exit code is 1 when the figure exceeds its bound, and 2 when the name of the figure is
 * unknown.
 */
export async function main(args: readonly string[], print: (line: string) => void): Promise<number> {
  const measure = MEASURES[args[0] ?? ''];
  if (measure === undefined) {
    print(usage());
    return args[0] === '--help' ? 0 : 2;
  }
  const { values } = parseArgs({
    args: args.slice(1),
    options: Object.fromEntries(Object.keys(measure.options).map((name) => [name, { type: 'string' }])),
  });
  const options = Object.fromEntries(
    Object.entries(measure.options).map(([name, { default: otherwise }]) => {
      const value = values[name] === undefined ? otherwise : Number(values[name]);
      if (!(value >= 0)) throw new Error(`--${name} must be a number of 0 or more; got ${values[name]}`);
      return [name, value];
    }),
  );
  const kept = await measure.run(options, print);
  print(kept ? 'the bound was kept' : 'THE BOUND WAS NOT KEPT');
  return kept ? 0 : 1;
}
