import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

/** Tests without processes and without waits. Two files at once do not disturb each other. */
const UNIT = ['test/unit/**/*.test.ts', 'test/property/**/*.test.ts', 'test/wire/**/*.test.ts'];
/** One file for each client. They mostly wait, and share no build folder. */
const CONFORMANCE = ['test/conformance/*.test.ts'];

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
    pool: 'forks',
    // Its image can't be had everywhere, and what is started here ends with its test.
    env: { TESTCONTAINERS_RYUK_DISABLED: 'true' },
    projects: [
      { extends: true, test: { name: 'unit', include: UNIT, maxWorkers: 2, sequence: { groupOrder: 0 } } },
      {
        extends: true,
        test: {
          name: 'suites',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...UNIT, ...CONFORMANCE],
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: 'conformance', include: CONFORMANCE, maxWorkers: 2, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
