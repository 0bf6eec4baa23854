import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    // Tests run on the client's sources, not on what happens to be built.
    alias: {
      '#spread-sidecar-client': fileURLToPath(new URL('clients/typescript/src/index.ts', import.meta.url)),
      'spread-sidecar-client': fileURLToPath(new URL('clients/typescript/src/index.ts', import.meta.url)),
      'spread-sidecar-testcontainers': fileURLToPath(
        new URL('clients/testcontainers/node/src/index.ts', import.meta.url),
      ),
    },
  },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    pool: 'forks',
    // Its image can't be had everywhere, and what is started here ends with its test.
    env: { TESTCONTAINERS_RYUK_DISABLED: 'true' },
  },
});
