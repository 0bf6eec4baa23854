import type { ConfigSources } from './load.js';
import { optionRows } from './option-rows.js';
import type { OptionKey, SidecarConfig } from './options.js';
import { type Source, sourceText } from './sources/entry.js';
import { isListType } from './values/value-type.js';

/** One option for programs. */
export interface ListedOption {
  readonly key: OptionKey;
  /** In the notation of the configuration; of a secret that is set, `[redacted]`. */
  readonly value: string | readonly string[];
  readonly source: Source['kind'];
  /** The flag, the variable, or the place in the file. */
  readonly from: string;
}

/** All options with their values and the origin of each, without secrets. */
export function listConfig(config: SidecarConfig, sources: ConfigSources): ListedOption[] {
  return optionRows.map(({ key, section, name, type, secret }) => {
    const value: unknown = (config[section] as Readonly<Record<string, unknown>>)[name];
    const source = sources[key];
    return { key, value: shown(type, secret, value), source: source.kind, from: sourceText(source) };
  });
}

function shown(
  type: (typeof optionRows)[number]['type'],
  secret: boolean,
  value: unknown,
): string | readonly string[] {
  const text = type.format(value);
  if (secret) return text === '' ? '' : '[redacted]';
  return isListType(type) && Array.isArray(value) ? value.map((item) => type.item.format(item)) : text;
}
