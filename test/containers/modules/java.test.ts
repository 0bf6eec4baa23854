import { beforeAll, describe, expect, it } from 'vitest';
import { modules } from '../../../scripts/testcontainers.mjs';
import { IMAGE_MS, sidecarImage } from '../../support/containers/image.js';
import { isAvailable } from '../../support/requirements.mjs';
import { BUILD_MS, runModuleTests, TESTS_MS } from './module-tests.js';

describe.skipIf(!isAvailable('docker') || !isAvailable('java'))('the Testcontainers module for Java', () => {
  let image: string;
  beforeAll(async () => {
    image = await sidecarImage();
  }, IMAGE_MS);
  beforeAll(() => modules.java.prepare(), BUILD_MS);

  it(
    'passes its own tests',
    async () => {
      const printed = await runModuleTests(modules.java, image);
      expect(printed).toMatch(/Tests run: \d\d, Failures: 0, Errors: 0, Skipped: 0$/m);
    },
    TESTS_MS,
  );
});
