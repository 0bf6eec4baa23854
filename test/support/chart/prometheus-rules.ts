import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const CHART = new URL('../../../deploy/helm/spread-sidecar/', import.meta.url);

export const RULES_FILE = fileURLToPath(new URL('rules/spread-sidecar.rules.yaml', CHART));
export const DASHBOARD_FILE = fileURLToPath(new URL('dashboards/spread-sidecar.json', CHART));

export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
}

export interface RuleFile {
  readonly groups: { readonly name: string; readonly rules: Rule[] }[];
}

export const ruleFile = parse(readFileSync(RULES_FILE, 'utf8')) as RuleFile;
export const rules: readonly Rule[] = ruleFile.groups.flatMap((group) => group.rules);
export const alerts = rules.filter((rule): rule is Rule & { alert: string } => rule.alert !== undefined);

/** The expressions of recording rules by their names. */
export const recorded: ReadonlyMap<string, string> = new Map(
  rules.flatMap(({ record, expr }) => (record === undefined ? [] : [[record, expr] as const])),
);
