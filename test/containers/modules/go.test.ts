import { beforeAll, describe, expect, it } from 'vitest';
import { modules } from '../../../scripts/testcontainers.mjs';
import { IMAGE_MS, sidecarImage } from '../../support/containers/image.js';
import { isAvailable } from '../../support/requirements.mjs';
import { BUILD_MS, runModuleTests, TESTS_MS } from './module-tests.js';

describe.skipIf(!isAvailable('docker') || !isAvailable('go'))('the Testcontainers module for Go', () => {
  let image: string;
  beforeAll(async () => {
    image = await sidecarImage();
  }, IMAGE_MS);
  beforeAll(() => modules.go.prepare(), BUILD_MS);

  it(
    'passes its own tests',
    async () => {
      const printed = await runModuleTests(modules.go, image);
      expect(printed).toMatch(/^ok {2}\t/m);
    },
    TESTS_MS,
  );
});
