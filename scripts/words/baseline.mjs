// The files that are still to be rewritten. The list only gets shorter: a listed file without findings fails the check.
import { readFileSync, writeFileSync } from 'node:fs';

export const BASELINE_FILE = 'scripts/words/baseline.txt';
const HEADER = '# Files that `npm run lint:words` does not enforce yet. Remove a file when you rewrite it.\n';

export function readBaseline() {
  const lines = readFileSync(BASELINE_FILE, 'utf8').split('\n');
  return new Set(lines.filter((line) => line !== '' && !line.startsWith('#')));
}

export function writeBaseline(names) {
  writeFileSync(BASELINE_FILE, HEADER + names.map((name) => `${name}\n`).join(''));
}
