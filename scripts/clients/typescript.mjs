// The TypeScript client, as the conformance suite, the benchmarks and `.ci/run` see it. `npm run setup` builds it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt, root } from '../build.mjs';

const { version } = JSON.parse(readFileSync(join(root, 'clients/typescript/package.json'), 'utf8'));

export const typescript = {
  language: 'typescript',
  title: 'TypeScript',
  enable: '',
  isAvailable: () => true,
  generated: [],
  prepare: ensureBuilt,
  driver: () => ({
    command: process.execPath,
    args: ['--import', 'tsx', join(root, 'test', 'conformance', 'typescript', 'driver.ts')],
    cwd: root,
    env: { CLIENT_VERSION: version },
  }),
  example: (name, args) => ({
    command: process.execPath,
    args: [join(root, 'clients', 'typescript', 'examples', `${name}.mjs`), ...args],
    cwd: root,
  }),
};
