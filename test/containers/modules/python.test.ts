import { beforeAll, describe, expect, it } from 'vitest';
import { modules } from '../../../scripts/testcontainers.mjs';
import { IMAGE_MS, sidecarImage } from '../../support/containers/image.js';
import { isAvailable } from '../../support/requirements.mjs';
import { BUILD_MS, runModuleTests, TESTS_MS } from './module-tests.js';

describe.skipIf(!isAvailable('docker') || !isAvailable('python-testcontainers'))(
  'the Testcontainers module for Python',
  () => {
    let image: string;
    beforeAll(async () => {
      image = await sidecarImage();
    }, IMAGE_MS);
    beforeAll(() => modules.python.prepare(), BUILD_MS);

    it(
      'passes its own tests',
      async () => {
        const printed = await runModuleTests(modules.python, image);
        expect(printed).toMatch(/^\d\d passed in /m);
      },
      TESTS_MS,
    );
  },
);
