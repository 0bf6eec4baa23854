import { join } from 'node:path';
import { alone, root } from '../../../scripts/build.mjs';
import { run } from '../../../scripts/run.mjs';

/** Maximum time to build the image and its base on a small machine. Unit: ms. */
export const IMAGE_MS = 600_000;

/**
 * The image for tests in containers: SPREAD_SIDECAR_IMAGE if set, otherwise a build of this clone. A build
 * without changes takes a second.
 */
export async function sidecarImage(): Promise<string> {
  const { SPREAD_SIDECAR_IMAGE: given } = process.env;
  if (given) return given;
  await alone(
    () => run(process.execPath, [join(root, 'scripts', 'image.mjs')], { quiet: true }),
    join(root, 'node_modules', '.image-lock'),
  );
  return 'spread-sidecar:test';
}

/** The environment of a Testcontainers module that uses this image. */
export function moduleEnvironment(image: string): NodeJS.ProcessEnv {
  const engine = process.env.DOCKER_HOST ?? 'unix:';
  return {
    SPREAD_SIDECAR_IMAGE: image,
    // Ryuk's image may not be available, and the modules clean up by themselves.
    TESTCONTAINERS_RYUK_DISABLED: 'true',
    // Testcontainers detects the wrong host if the engine runs in the same container as the tests.
    ...(engine.startsWith('unix:') && { TESTCONTAINERS_HOST_OVERRIDE: '127.0.0.1' }),
  };
}
