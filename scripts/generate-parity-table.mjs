// Writes the table of clients/README.md from the cases of the conformance suite and the languages that pass it. Run by `npm run gen`.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root } from './build.mjs';
import { clients } from './clients/index.mjs';

const folder = join(root, 'test', 'conformance', 'cases');
const page = join(root, 'clients', 'README.md');
const [BEGIN, END] = ['<!-- parity: written by `npm run gen` -->', '<!-- end of parity -->'];

const features = new Map();
for (const file of readdirSync(folder).sort()) {
  const { feature, cases, realDaemon } = parse(readFileSync(join(folder, file), 'utf8'));
  const row = features.get(feature) ?? { cases: 0, real: 0 };
  row.cases += cases.length;
  row.real += cases.filter((one) => one.realDaemon ?? realDaemon).length;
  features.set(feature, row);
}

const drivers = clients.flatMap(({ title, language, asyncDriver, lacks = [] }) => {
  const column = { title: title ?? language, lacks };
  return asyncDriver ? [column, { title: `${column.title} asyncio`, lacks }] : [column];
});
const columns = drivers.map(({ title }) => title);
const passes = (feature) => drivers.map(({ lacks }) => (lacks.includes(feature) ? 'not yet' : 'all'));
const rows = [...features].map(([feature, { cases, real }]) => [feature, cases, real, ...passes(feature)]);
rows.push(['Errors', 'every reason of the contract, every error of Spread', 0, ...passes('Errors')]);
const lines = [
  ['feature', 'cases', 'also over a real daemon', ...columns],
  ['---', '---:', '---:', ...columns.map(() => '---')],
  ...rows,
].map((cells) => `| ${cells.join(' | ')} |`);

const text = readFileSync(page, 'utf8');
const [before, rest] = text.split(BEGIN);
const [, after] = rest.split(END);
writeFileSync(page, `${before}${BEGIN}\n\n${lines.join('\n')}\n\n${END}${after}`);
