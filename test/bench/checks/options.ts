import { parseArgs } from 'node:util';
import type { Check } from './check.js';

export function checksUsage(checks: readonly Check[]): string {
  const lines = checks.flatMap(({ id, text, options }) => [
    `  ${id.padEnd(12)} ${text}`,
    ...Object.entries(options).map(
      ([option, { text: meaning, default: value }]) =>
        `${' '.repeat(15)}--${option} N: ${meaning} (default ${value})`,
    ),
  ]);
  return [
    'npm run bench -- check NAME [--node PATH] [--option N …]',
    '',
    'Checks behaviour after failures and under full load against bounds. The exit code is 1 when a figure exceeds its bound.',
    '--node PATH runs the servers with this Node binary (default: the Node binary of this run).',
    '',
    ...lines,
  ].join('\n');
}

/** @throws Error for an option that the check does not have, and for a value that is not a number of 0 or more */
export function checkOptions(
  check: Check,
  args: readonly string[],
): { readonly node: string; readonly numbers: Readonly<Record<string, number>> } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...Object.fromEntries(Object.keys(check.options).map((name) => [name, { type: 'string' as const }])),
      node: { type: 'string', default: process.execPath },
    },
  });
  const given = values as Readonly<Record<string, string | undefined>>;
  const numbers = Object.entries(check.options).map(([name, { default: otherwise }]) => {
    const value = given[name] === undefined ? otherwise : Number(given[name]);
    if (!(value >= 0)) throw new Error(`--${name} must be a number of 0 or more; got ${given[name]}`);
    return [name, value] as const;
  });
  return { node: given.node as string, numbers: Object.fromEntries(numbers) };
}
