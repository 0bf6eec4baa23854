// The Testcontainers modules of other languages, for the test suite. Each uses the client of its language
// from this clone.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { alone, root } from './build.mjs';

const home = (language) => join(root, 'clients', 'testcontainers', language);

function run(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`);
  return stdout;
}

const python = {
  prepare: async () => {},
  test: () => ({
    command: process.env.PYTHON || 'python3',
    args: ['-m', 'pytest', '-q', '-p', 'no:cacheprovider'],
    cwd: home('python'),
    env: { PYTHONDONTWRITEBYTECODE: '1' },
  }),
};

const go = {
  prepare: async () => {
    const unformatted = run('gofmt', ['-l', '.'], home('go'));
    if (unformatted !== '') throw new Error(`gofmt would change:\n${unformatted}`);
    run('go', ['vet', './...'], home('go'));
  },
  test: () => ({
    command: 'go',
    args: ['test', '-race', '-count=1', '-timeout=5m', './...'],
    cwd: home('go'),
    env: {},
  }),
};

const withClient = (...args) => ['-B', '-ntp', '-f', 'with-client.xml', 'test', ...args];

const java = {
  // Its client's tests build the client too, so the builds run one after the other.
  prepare: () => alone(async () => void run('mvn', withClient('-q', '-DskipTests'), home('java'))),
  test: () => ({
    command: 'mvn',
    // The client's tests run in another suite.
    args: withClient(
      '-Dtest=org.spreadsidecar.testcontainers.*Test',
      '-Dsurefire.failIfNoSpecifiedTests=false',
    ),
    cwd: home('java'),
    env: {},
  }),
};

/**
 * What the suite needs of a Testcontainers module. `prepare` builds and checks; the tests need SPREAD_SIDECAR_IMAGE and TEST_TLS_FOLDER.
 *
 * @typedef {{ prepare(): Promise<void>, test(): import('./clients/index.mjs').Command }} Module
 */

/** @type {Readonly<Record<'python' | 'go' | 'java', Module>>} */
export const modules = { python, go, java };
