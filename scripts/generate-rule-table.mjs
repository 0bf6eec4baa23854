// Writes the table of rules in test/conformance/README.md: the examples and cases that check each rule of docs/client-rules.md. Run by `npm run gen`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './build.mjs';
import { readRuleChecks } from './rule-checks.mjs';

const page = join(root, 'test', 'conformance', 'README.md');
const [BEGIN, END] = ['<!-- rules: written by `npm run gen` -->', '<!-- end of rules -->'];

const code = (names) => [...names].map((name) => `\`${name}\``).join(', ') || '–';
const rows = readRuleChecks().map(({ rule, examples, cases }) => [rule, code(examples), code(cases)]);
const lines = [['Rule', 'Examples in `rules/`', 'Cases in `cases/`'], ['---', '---', '---'], ...rows];
const table = lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const text = readFileSync(page, 'utf8');
const [before, rest] = text.split(BEGIN);
const [, after] = rest.split(END);
writeFileSync(page, `${before}${BEGIN}\n\n${table}\n\n${END}${after}`);
