import type { ConfigSources } from './load.js';
import { optionRows, sectionEntries } from './option-rows.js';
import type { SidecarConfig } from './options.js';
import { sourceText } from './sources/entry.js';
import { isListType } from './values/value-type.js';

/**
 * The configuration as a YAML file with the origin of each value beside it. Defaults are comments, and secrets are
 * redacted. Without secrets, the text is a configuration file with the same effect.
 */
export function printConfig(config: SidecarConfig, sources: ConfigSources): string {
  const lines = sectionEntries().flatMap(([section]) => [
    `${section}:`,
    ...optionRows
      .filter((row) => row.section === section)
      .map((row) => {
        const value: unknown = (config[section] as Readonly<Record<string, unknown>>)[row.name];
        const line = `${row.name}: ${yamlValue(row, value)}`;
        const source = sources[row.key];
        return source.kind === 'default' ? `  # ${line} (default)` : `  ${line} # ${sourceText(source)}`;
      }),
  ]);
  return `${lines.join('\n')}\n`;
}

function yamlValue({ type, secret }: (typeof optionRows)[number], value: unknown): string {
  if (secret && type.format(value) !== '') return '"[redacted]"';
  if (isListType(type) && Array.isArray(value))
    return `[${value.map((item) => yamlText(type.item.format(item))).join(', ')}]`;
  return yamlText(type.format(value));
}

// A JSON string is valid YAML. Only text that every YAML parser reads as text, or an intended number or boolean,
// stays without quotes.
function yamlText(text: string): string {
  return /^[A-Za-z0-9/][A-Za-z0-9_./@-]*(:[A-Za-z0-9_./-]+)*$/.test(text) ? text : JSON.stringify(text);
}
