import { CONFIG_FILE, type OptionRow, optionRows } from './option-rows.js';
import { sections } from './options.js';
import type { Flags } from './sources/flags.js';
import { isListType } from './values/value-type.js';

/**
 * One flag for commander: `new Option(row.flags, row.description).helpGroup(row.group)`, with
 * `.argParser(row.collect)` if `collect` is set. `negated` is a separate option that help does not show.
 */
export interface OptionFlag {
  /** `--grpc-listen <address,…>`, `--grpc-reflection [true|false]`. */
  readonly flags: string;
  /** `--no-grpc-reflection`, for a boolean. */
  readonly negated?: string;
  /** The effect of the option, its range, its default and its environment variable. */
  readonly description: string;
  /** Heading in `--help`. */
  readonly group: string;
  /** Words that are values, for completion in a shell. */
  readonly words: readonly string[];
  /** Collects the values of a list, whose flag can be repeated. */
  readonly collect?: (value: string, previous: readonly string[] | undefined) => readonly string[];
}

/** The sections of options, and the headings of their flags in help without the colon. */
export const sectionTitles: ReadonlyMap<string, string> = new Map(
  Object.entries(sections).map(([name, { title }]) => [name, title]),
);

/** `--config` and every option that has a flag, in the order of the table. */
export function optionFlags(): readonly OptionFlag[] {
  const config: OptionFlag = {
    flags: `--${CONFIG_FILE.flag} <path>`,
    description: `${CONFIG_FILE.text} Environment: ${CONFIG_FILE.environment}`,
    group: 'Configuration file:',
    words: [],
  };
  return [
    config,
    ...optionRows.flatMap((row) => (row.flag === undefined ? [] : [optionFlag(row, row.flag)])),
  ];
}

/**
 * Converts commander's `command.opts()` to the flags of loadConfig: `grpcListen` → `grpc-listen`. Other flags of
 * the command are omitted.
 */
export function flagsFromOptions(options: Readonly<Record<string, unknown>>): Flags {
  const names = [CONFIG_FILE.flag, ...optionRows.flatMap((row) => row.flag ?? [])];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = options[camelCase(name)];
      return value === undefined ? [] : [[name, value as Flags[string]]];
    }),
  );
}

function optionFlag(row: OptionRow, flag: string): OptionFlag {
  const base = {
    description: describe(row),
    group: `${sections[row.section].title}:`,
    words: (isListType(row.type) ? row.type.item : row.type).words ?? [],
  };
  if (row.isBoolean)
    return { ...base, flags: `--${flag} [${row.type.placeholder}]`, negated: `--no-${flag}` };
  const flags = `--${flag} <${row.type.placeholder}>`;
  if (!row.isList) return { ...base, flags };
  return { ...base, flags, collect: (value, previous) => [...(previous ?? []), value] };
}

function describe(row: OptionRow): string {
  const value = row.default === '' ? 'none' : row.default;
  return `${row.text} Must be ${row.type.expects}. Default: ${value}. Environment: ${row.environment}`;
}

// Commander's name for the attribute of a flag.
const camelCase = (flag: string): string =>
  flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
