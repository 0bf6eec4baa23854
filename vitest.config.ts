import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

/** Tests without processes and without waits. */
const UNIT = ['test/unit/**/*.test.ts', 'test/property/**/*.test.ts', 'test/wire/**/*.test.ts'];
/** Sidecars and daemons on ports of their own. Files do not disturb each other, and they mostly wait, so there is one file more than cores. */
const INTEGRATION = ['test/integration/*.test.ts', 'test/daemon/**/*.test.ts'];
/** One file for each client. They mostly wait, and share no build folder. */
const CONFORMANCE = ['test/conformance/*.test.ts'];
/** Attacks, pauses and random input: they load the machine, or wait for most of a minute. `npm test` leaves them to `npm run test:all`. */
const LONG = [
  'test/attack/**/*.test.ts',
  'test/chaos/chaos.test.ts',
  'test/fuzz/**/*.test.ts',
  'test/integration/long/**/*.test.ts',
];
/** Suites of which every test needs a tool beyond Node. To load a file takes a second, even if each of its tests is skipped. */
const WITH_TOOLS = ['cluster', 'containers', 'kubernetes', 'packages', 'page'].map(
  (name) => `test/${name}/**`,
);

const { TEST_SUITES, REQUIRE, SPREAD_HOME } = process.env;
const isNodeOnly = TEST_SUITES === 'node';
const excluded = [
  ...configDefaults.exclude,
  ...(isNodeOnly ? LONG : []),
  ...(isNodeOnly && !REQUIRE && !SPREAD_HOME ? WITH_TOOLS : []),
];

export default defineConfig({
  resolve: {
    // Tests run on the sources of the packages, not on what happens to be built.
    alias: {
      'spread-sidecar-client': fileURLToPath(new URL('clients/typescript/src/index.ts', import.meta.url)),
      'spread-sidecar-proto': fileURLToPath(new URL('proto/src/index.ts', import.meta.url)),
      'spread-sidecar-testcontainers': fileURLToPath(
        new URL('clients/testcontainers/node/src/index.ts', import.meta.url),
      ),
    },
  },
  test: {
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Cases of the conformance suite with a scripted sidecar, which mostly wait.
    maxConcurrency: 16,
    pool: 'forks',
    // Its image can't be had everywhere, and what is started here ends with its test.
    env: { TESTCONTAINERS_RYUK_DISABLED: 'true' },
    // The projects run one after the other.
    projects: [
      { extends: true, test: { name: 'unit', include: UNIT, maxWorkers: 2, sequence: { groupOrder: 0 } } },
      {
        extends: true,
        test: {
          name: 'integration',
          // Without the builds of other languages, conformance is as light as the rest.
          include: [...INTEGRATION, ...(isNodeOnly ? CONFORMANCE : [])],
          exclude: excluded,
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'suites',
          include: ['test/**/*.test.ts'],
          exclude: [...excluded, ...UNIT, ...INTEGRATION, ...CONFORMANCE],
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'conformance',
          include: isNodeOnly ? [] : CONFORMANCE,
          maxWorkers: 2,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
