// `npm run lint:words`: rejects literary words and sentences that are too long, in pages, comments of the contract and messages.
// `npm run lint:words -- FILE…` shows the findings of the named files, also of those in the baseline.
// `npm run lint:words -- --shrink` removes from the baseline the files that have no findings any more.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { TextlintKernel } from '@textlint/kernel';
import { BASELINE_FILE, readBaseline, writeBaseline } from './words/baseline.mjs';
import { textlintOptions } from './words/rules.mjs';
import { proseOf } from './words/texts.mjs';

/** The files whose language is checked, as patterns of git. Generated code and tests are not messages. */
const PATTERNS = [
  '*.md',
  '*.proto',
  'server/src/*.ts',
  'clients/typescript/src/*.ts',
  'clients/testcontainers/node/src/*.ts',
  'scripts/*.mjs',
  'scripts/*.mts',
  'bin/*.mjs',
  'clients/*.py',
  'clients/*.go',
  'clients/*.java',
  'clients/*.rs',
  ':!*/tests/*',
  ':!*_test.go',
  ':!*/src/test/*',
  ':!*/gen/*',
  ':!scripts/words/rules.mjs',
];

const kernel = new TextlintKernel();

async function findingsOf(name) {
  const { text, lineOf } = await proseOf(readFileSync(name, 'utf8'), name);
  const { messages } = await kernel.lintText(text, textlintOptions(name));
  return messages.map(({ message, line }) => `${name}:${lineOf(line)}: ${message.replaceAll('\n', ' ')}`);
}

const { values, positionals } = parseArgs({
  options: { shrink: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', ...PATTERNS], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((name) => name !== '' && existsSync(name));
const baseline = readBaseline();

const problems = [];
const stillListed = [];
const names = positionals.length > 0 ? positionals : tracked;
for (const name of names) {
  const findings = await findingsOf(name);
  if (positionals.length > 0 || !baseline.has(name)) problems.push(...findings);
  else if (findings.length > 0) stillListed.push(name);
}

if (values.shrink) writeBaseline(stillListed);
else if (positionals.length === 0)
  for (const name of baseline)
    if (!stillListed.includes(name))
      problems.push(
        tracked.includes(name)
          ? `${name}: listed in the baseline, but has no findings. Run \`npm run lint:words -- --shrink\`.`
          : `${name}: listed in the baseline, but does not exist. Change the name in ${BASELINE_FILE} if the file moved.`,
      );

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else
  console.log(
    `The language of ${names.length - stillListed.length} files is checked, ${stillListed.length} files are to be rewritten.`,
  );
