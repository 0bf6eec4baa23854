// `npm run lint:words`: rejects literary words and sentences that are too long, in pages, comments of the contract and messages.
// `npm run lint:words -- FILE…` checks only the named files.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { TextlintKernel } from '@textlint/kernel';
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
  // Their texts are programs of a shell.
  ':!server/src/cli/completion/bash.ts',
  ':!server/src/cli/completion/fish.ts',
  ':!server/src/cli/completion/zsh.ts',
];

const kernel = new TextlintKernel();

async function findingsOf(name) {
  const { text, lineOf } = await proseOf(readFileSync(name, 'utf8'), name);
  const { messages } = await kernel.lintText(text, textlintOptions(name));
  return messages.map(({ message, line }) => `${name}:${lineOf(line)}: ${message.replaceAll('\n', ' ')}`);
}

function trackedFiles() {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', ...PATTERNS];
  const names = execFileSync('git', args, { encoding: 'utf8' }).split('\n');
  return names.filter((name) => name !== '' && existsSync(name));
}

const named = process.argv.slice(2);
const names = named.length > 0 ? named : trackedFiles();
const problems = [];
for (const name of names) problems.push(...(await findingsOf(name)));

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else console.log(`No language problem in ${names.length} files.`);
