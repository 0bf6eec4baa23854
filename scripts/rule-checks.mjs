// The rules of docs/client-rules.md, with the files of the conformance suite that check each of them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root } from './build.mjs';

const suite = join(root, 'test', 'conformance');

/** The numbers of the rules, in the order of the page. */
function readRules() {
  const text = readFileSync(join(root, 'docs', 'client-rules.md'), 'utf8');
  return [...text.matchAll(/^\| ([A-Z]\d+) \|/gm)].map(([, rule]) => rule);
}

/** The files of a folder with the rules that each of them names. */
function filesIn(folder, extension, rulesOf) {
  const files = readdirSync(join(suite, folder)).filter((name) => name.endsWith(extension));
  return files
    .sort()
    .map((name) => ({ name, rules: rulesOf(readFileSync(join(suite, folder, name), 'utf8')) }));
}

/**
 * Each rule with the files whose examples and cases name it. Throws if an example or a case names a rule that
 * does not exist.
 *
 * @returns {{ rule: string, examples: string[], cases: string[] }[]}
 */
export function readRuleChecks() {
  const rules = readRules();
  const examples = filesIn('rules', '.json', (text) => JSON.parse(text).examples.flatMap((one) => one.rules));
  const cases = filesIn('cases', '.yaml', (text) => parse(text).cases.flatMap((one) => one.rules ?? []));
  for (const { name, rules: named } of [...examples, ...cases])
    for (const rule of named)
      if (!rules.includes(rule)) throw new Error(`${name}: docs/client-rules.md has no rule ${rule}`);
  const checking = (files, rule) => files.filter((file) => file.rules.includes(rule)).map(({ name }) => name);
  return rules.map((rule) => ({ rule, examples: checking(examples, rule), cases: checking(cases, rule) }));
}
