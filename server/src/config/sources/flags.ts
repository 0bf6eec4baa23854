import { didYouMean } from '../did-you-mean.js';
import type { Mistake } from '../mistakes.js';
import { CONFIG_FILE, ENVIRONMENT_PREFIX, type OptionRow, optionRows } from '../option-rows.js';
import { quote } from '../values/value-type.js';
import { type Entry, type Given, type Source, sourceText } from './entry.js';

/** The values of a command line by flag name without dashes. A repeated flag has a list of values. */
export type Flags = Readonly<Record<string, string | readonly string[] | boolean | undefined>>;

const byFlag = new Map(
  optionRows.flatMap((row) => (row.flag === undefined ? [] : [[row.flag, row] as const])),
);
// The flags that secrets would have. The error for such a flag names the right source of the secret.
const secrets = new Map(
  optionRows.filter((row) => row.secret).map((row) => [flagLike(row.environment), row]),
);

/** Reads options from flags. `undefined` is a flag that was not given. */
export function readFlags(flags: Flags): Given {
  const entries: Entry[] = [];
  const mistakes: Mistake[] = [];
  for (const [name, value] of Object.entries(flags)) {
    if (value === undefined || name === CONFIG_FILE.flag) continue;
    const row = byFlag.get(name);
    const source: Source = { kind: 'flag', name };
    const mistake = row ? misuse(row, value) : unknown(name);
    if (mistake)
      mistakes.push({ option: row?.key ?? `--${name}`, where: sourceText(source), message: mistake });
    else if (row)
      entries.push({ row, given: Array.isArray(value) ? joined(row, value) : String(value), source });
  }
  return { entries, mistakes };
}

// A repeated flag and commas have the same meaning: `--x a,b --x c` has three items.
const joined = (row: OptionRow, values: readonly string[]): string =>
  row.isList ? values.filter((part) => part !== '').join(',') : values[0]!;

function misuse(row: OptionRow, value: string | readonly string[] | boolean): string | undefined {
  if (typeof value === 'boolean' && !row.isBoolean)
    return `${row.key} needs a value: it must be ${row.type.expects}`;
  if (Array.isArray(value) && !row.isList && value.length !== 1)
    return `${row.key} occurs ${value.length} times; it accepts one value`;
  return undefined;
}

function unknown(name: string): string {
  const secret = secrets.get(name);
  if (secret)
    return `${secret.key} has no flag, because all users of the machine can read command lines; use ${secret.environment} or a file`;
  const known = [...byFlag.keys(), CONFIG_FILE.flag].map((flag) => `--${flag}`);
  return `unknown flag ${quote(`--${name}`)}${didYouMean(name, known)}`;
}

/** SPREAD_SIDECAR_LOG_LEVEL → log-level */
function flagLike(environment: string): string {
  return environment.slice(ENVIRONMENT_PREFIX.length).toLowerCase().replaceAll('_', '-');
}
