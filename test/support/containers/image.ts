import { join } from 'node:path';
import { alone, root } from '../../../scripts/build.mjs';
import { run } from '../../../scripts/run.mjs';

/** How long it may take to make it, and its base, on a small machine. Unit: ms. */
export const IMAGE_MS = 600_000;

/**
 * The image that the suites in containers test: SPREAD_SIDECAR_IMAGE where it is set, else one that is built now of what is here.
 * Building what the engine has built before takes a second.
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

/** The environment in which a Testcontainers module starts containers of this image. */
export function moduleEnvironment(image: string): NodeJS.ProcessEnv {
  const engine = process.env.DOCKER_HOST ?? 'unix:';
  return {
    SPREAD_SIDECAR_IMAGE: image,
    // Ryuk's image may not be there, and the modules clean up by themselves.
    TESTCONTAINERS_RYUK_DISABLED: 'true',
    // Testcontainers guesses wrong where the engine runs in the same container as the tests.
    ...(engine.startsWith('unix:') && { TESTCONTAINERS_HOST_OVERRIDE: '127.0.0.1' }),
  };
}
