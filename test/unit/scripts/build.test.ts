import { appendFileSync, copyFileSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../../support/run-command.js';
import { temporaryFolder } from '../../support/tmp.js';

const root = new URL('../../..', import.meta.url).pathname;

/** Writes a line to the file `steps` for each step of the build. */
const step = (name: string, built: string) =>
  `import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
mkdirSync('${dirname(built)}', { recursive: true });
writeFileSync('${built}', '');
appendFileSync('steps', '${name}\\n');
`;

/** The inputs of the bundle. */
const INPUTS = [
  'dist/.tsbuildinfo',
  'proto/dist/.tsbuildinfo',
  'clients/typescript/dist/.tsbuildinfo',
  'package-lock.json',
  'scripts/build-server.mjs',
  'scripts/licences.mjs',
];

/** A built clone, in which the steps of the build only write their last files. */
function clone() {
  const folder = temporaryFolder();
  const files = {
    ...Object.fromEntries(INPUTS.map((name) => [name, ''])),
    'node_modules/.package-lock.json': '',
    'node_modules/spread-sidecar-proto/package.json': '',
    'node_modules/typescript/bin/tsc': "require('node:fs').appendFileSync('steps', 'compile\\n');",
    'server/page/index.html': '',
    'dist/server/bundle/licences.txt': '',
    'dist/page/licences.txt': '',
    'scripts/build-page.mjs': step('page', 'dist/page/licences.txt'),
    'scripts/build-server.mjs': step('bundle', 'dist/server/bundle/licences.txt'),
  };
  const path = (name: string) => join(folder, name);
  /** @param hours - the age of the file */
  const age = (name: string, hours: number) => {
    const at = new Date(Date.now() - hours * 3_600_000);
    utimesSync(path(name), at, at);
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(path(name)), { recursive: true });
    writeFileSync(path(name), text);
    age(name, name.startsWith('dist/') && name.endsWith('.txt') ? 1 : 3);
  }
  copyFileSync(join(root, 'scripts/build.mjs'), path('scripts/build.mjs'));
  age('node_modules/.package-lock.json', 0);
  return {
    age,
    /** Calls an exported function of build.mjs. @returns the steps that it ran */
    async run(name: 'ensureRunnable' | 'ensureBuilt') {
      const program = `await (await import('./scripts/build.mjs')).${name}();`;
      appendFileSync(path('steps'), '');
      const before = readFileSync(path('steps'), 'utf8');
      await runCommand(process.execPath, ['--input-type=module', '-e', program], { cwd: folder });
      return readFileSync(path('steps'), 'utf8').slice(before.length).split('\n').filter(Boolean);
    },
  };
}

describe('the build', () => {
  it.each(['ensureRunnable', 'ensureBuilt'] as const)(
    'bundles nothing in %s if the bundle is current',
    async (name) => {
      expect(await clone().run(name)).toEqual(name === 'ensureBuilt' ? ['compile'] : []);
    },
  );

  it.each(INPUTS)('bundles the server again if %s is newer than the bundle', async (input) => {
    const { age, run } = clone();
    age(input, 0.5);
    expect(await run('ensureRunnable')).toContain('bundle');
    expect(await run('ensureRunnable')).toEqual([]);
  });

  it('bundles the server after it compiled changes', async () => {
    const { age, run } = clone();
    age('dist/.tsbuildinfo', 0.5);
    expect(await run('ensureBuilt')).toEqual(['compile', 'bundle']);
  });
});
