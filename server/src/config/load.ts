import { type Conflict, crossChecks } from './cross-checks.js';
import { ConfigError, type Mistake } from './mistakes.js';
import { CONFIG_FILE, type OptionRow, optionRows } from './option-rows.js';
import type { OptionKey, SidecarConfig } from './options.js';
import { type Entry, type Source, sourceText } from './sources/entry.js';
import { type Environment, readEnvironment } from './sources/environment.js';
import { type Flags, readFlags } from './sources/flags.js';
import type { ConfigFile } from './sources/yaml-file.js';
import { isListType, quote, Refusal } from './values/value-type.js';

/** The origin of each value. */
export type ConfigSources = Readonly<Record<OptionKey, Source>>;

export interface LoadOptions {
  readonly flags?: Flags;
  readonly env?: Environment;
  readonly file?: ConfigFile | undefined;
  /** Environment variables with the sidecar's prefix that are not options, such as those of clients. */
  readonly otherVariables?: readonly string[];
}

export interface LoadedConfig {
  readonly config: SidecarConfig;
  readonly sources: ConfigSources;
}

/**
 * Creates the configuration. Flags override the environment, which overrides the file, which overrides the
 * defaults.
 * @throws ConfigError with all mistakes, also those in overridden values
 */
export async function loadConfig(options: LoadOptions = {}): Promise<LoadedConfig> {
  // The YAML parser costs about 25 ms and 6 MiB, so it is loaded only for a file.
  const file = options.file && (await import('./sources/yaml-file.js')).readYamlFile(options.file);
  const given = [
    readFlags(options.flags ?? {}),
    readEnvironment(options.env ?? {}, options.otherVariables),
    file ?? { entries: [], mistakes: [] },
  ];
  const mistakes = given.flatMap((place) => place.mistakes);
  const values = new Map<string, unknown>();
  const sources = new Map<string, Source>();
  for (const row of optionRows) {
    const entries = given.flatMap((place) => place.entries.filter((entry) => entry.row === row));
    const read = [...entries, defaultEntry(row)].map((entry) => readEntry(entry, mistakes));
    sources.set(row.key, entries[0]?.source ?? { kind: 'default' });
    if (read[0]?.ok) values.set(row.key, read[0].value);
  }
  const config = assemble(values);
  const isSet = (key: OptionKey) => sources.get(key)!.kind !== 'default';
  for (const check of crossChecks) {
    if (!check.options.every((key) => values.has(key))) continue;
    const conflict = check.check(config, isSet);
    if (conflict) mistakes.push(conflictMistake(conflict, values, sources));
  }
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return { config, sources: Object.fromEntries(sources) as ConfigSources };
}

/** The configuration of a sidecar in which no option is set. */
export function defaultConfig(): SidecarConfig {
  return assemble(new Map(optionRows.map((row) => [row.key, defaultValue(row)])));
}

/** Path of the configuration file from flags or environment. Undefined without one. */
export function configFilePath(flags: Flags, env: Environment): string | undefined {
  const flag = flags[CONFIG_FILE.flag];
  return typeof flag === 'string' ? flag : env[CONFIG_FILE.environment];
}

const defaultEntry = (row: OptionRow): Entry => ({ row, given: row.default, source: { kind: 'default' } });

function defaultValue(row: OptionRow): unknown {
  const read = readEntry(defaultEntry(row), []);
  return read.ok ? read.value : undefined;
}

function readEntry(
  { row, given, source }: Entry,
  mistakes: Mistake[],
): { ok: true; value: unknown } | { ok: false } {
  try {
    if (typeof given === 'string') return { ok: true, value: row.type.parse(given) };
    if (isListType(row.type)) return { ok: true, value: row.type.parseItems(given) };
    throw new Refusal('it is a list');
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const shown = row.secret ? '[redacted]' : quote(typeof given === 'string' ? given : given.join(','));
    const hint = error.hint && ` (${error.hint})`;
    mistakes.push({
      option: row.key,
      where: sourceText(source),
      message: `${row.key} must be ${row.type.expects}; got ${shown}${hint}`,
    });
    return { ok: false };
  }
}

function assemble(values: ReadonlyMap<string, unknown>): SidecarConfig {
  const config: Record<string, Record<string, unknown>> = {};
  for (const row of optionRows) {
    config[row.section] ??= {};
    config[row.section]![row.name] = values.get(row.key);
  }
  return config as unknown as SidecarConfig;
}

function conflictMistake(
  { sentence, between }: Conflict,
  values: ReadonlyMap<string, unknown>,
  sources: ReadonlyMap<string, Source>,
): Mistake {
  const parts = optionRows
    .filter((row) => between.includes(row.key))
    .map((row) => {
      const source = sources.get(row.key)!;
      const value = row.secret ? '[redacted]' : row.type.format(values.get(row.key)) || '""';
      return `${row.key} is ${value}${source.kind === 'default' ? ', the default' : ` from ${sourceText(source)}`}`;
    });
  // Reported at the value that was set, because a default is less likely to be the mistake.
  const option = between.find((key) => sources.get(key)!.kind !== 'default') ?? between[0]!;
  return { option, where: sourceText(sources.get(option)!), message: `${sentence} (${parts.join('; ')})` };
}
