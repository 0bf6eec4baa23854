import { getContainerRuntimeClient, ImageName } from 'testcontainers';

const BUILT_IMAGE = 'spread-sidecar:test';

/**
 * The default image: the value of the environment variable SPREAD_SIDECAR_IMAGE. If that variable is not set,
 * `spread-sidecar:test`.
 */
export const DEFAULT_IMAGE: string = process.env.SPREAD_SIDECAR_IMAGE || BUILT_IMAGE;

/**
 * The error for an image that the Docker engine does not have and could not pull. Undefined if the engine has
 * the image or does not respond.
 *
 * @param cause - the error from the attempt to start a container of the image
 */
export async function missingImage(image: string, cause: unknown): Promise<Error | undefined> {
  const exists = await getContainerRuntimeClient()
    .then((client) => client.image.exists(ImageName.fromString(image)))
    .catch(() => true);
  if (exists) return undefined;
  return new Error(
    `the Docker engine cannot find or pull the image ${image}; build ${BUILT_IMAGE} with "npm run image" in a clone of spread-sidecar, or use another image`,
    { cause },
  );
}
