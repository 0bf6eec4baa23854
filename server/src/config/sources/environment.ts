import { didYouMean } from '../did-you-mean.js';
import type { Mistake } from '../mistakes.js';
import { CONFIG_FILE, ENVIRONMENT_PREFIX, optionRows } from '../option-rows.js';
import { quote } from '../values/value-type.js';
import { type Entry, type Given, type Source, sourceText } from './entry.js';

/** Environment variables. An empty variable is a value (an empty list, an empty text), not an absent one. */
export type Environment = Readonly<Record<string, string | undefined>>;

const byVariable = new Map(optionRows.map((row) => [row.environment, row]));

/**
 * Reads options from an environment. Ignores variables of other programs. An unknown name with the sidecar's
 * prefix is a mistake, unless it is in `others`.
 */
export function readEnvironment(environment: Environment, others: readonly string[] = []): Given {
  const entries: Entry[] = [];
  const mistakes: Mistake[] = [];
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || !name.startsWith(ENVIRONMENT_PREFIX)) continue;
    const source: Source = { kind: 'environment', name };
    const row = byVariable.get(name);
    if (row) entries.push({ row, given: value, source });
    else if (name !== CONFIG_FILE.environment && !others.includes(name) && !isServiceLink(name, value))
      mistakes.push({ option: name, where: sourceText(source), message: unknown(name) });
  }
  return { entries, mistakes };
}

/**
 * Kubernetes sets variables for every Service of the namespace. The variables of a Service named `spread-sidecar`
 * or `spread-sidecar-<anything>` have the sidecar's prefix (SPREAD_SIDECAR_PORT_4813_TCP_ADDR), but are not
 * options.
 */
function isServiceLink(name: string, value: string): boolean {
  if (/_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$/.test(name)) return true;
  if (/_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name)) return true;
  return name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value);
}

function unknown(name: string): string {
  const known = [...byVariable.keys(), CONFIG_FILE.environment];
  return `unknown variable ${quote(name)}${didYouMean(name, known)}`;
}
