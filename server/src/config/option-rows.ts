import { type Option, type OptionKey, type Section, type SidecarConfig, sections } from './options.js';
import { isListType, type ValueType } from './values/value-type.js';

/** One option with all names that are derived from its key. */
export interface OptionRow {
  readonly key: OptionKey;
  readonly section: keyof SidecarConfig;
  readonly name: string;
  /** Without dashes. Undefined for a secret, which has no flag. */
  readonly flag: string | undefined;
  readonly environment: string;
  readonly type: ValueType<unknown>;
  readonly isList: boolean;
  readonly isBoolean: boolean;
  readonly secret: boolean;
  readonly default: string;
  readonly why: string;
  readonly text: string;
}

/** The prefix of all environment variables of the sidecar. */
export const ENVIRONMENT_PREFIX = 'SPREAD_SIDECAR_';

/**
 * The path of the configuration file: the only setting that a file cannot contain. The caller of loadConfig reads
 * the file.
 */
export const CONFIG_FILE = {
  flag: 'config',
  environment: `${ENVIRONMENT_PREFIX}CONFIG`,
  text: 'A YAML file with options. Flags and environment variables override it.',
} as const;

/** All options in the order of the table. */
export const optionRows: readonly OptionRow[] = sectionEntries().flatMap(([section, { options }]) =>
  Object.entries(options).map(([name, row]) => optionRow(section, name, row)),
);

/** All sections in the order of the table. */
export function sectionEntries(): readonly (readonly [keyof SidecarConfig, Section])[] {
  return Object.entries(sections) as [keyof SidecarConfig, Section][];
}

function optionRow(section: keyof SidecarConfig, name: string, row: Option<unknown>): OptionRow {
  const words = row.flag ?? `${section}-${kebab(name)}`;
  return {
    key: `${section}.${name}` as OptionKey,
    section,
    name,
    flag: row.secret ? undefined : words,
    environment: ENVIRONMENT_PREFIX + words.toUpperCase().replaceAll('-', '_'),
    type: row.type,
    isList: isListType(row.type),
    isBoolean: row.type.expects === 'true or false',
    secret: row.secret ?? false,
    default: row.default,
    why: row.why,
    text: row.text,
  };
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
