import { getContainerRuntimeClient, ImageName } from 'testcontainers';

const BUILT_IMAGE = 'spread-sidecar:test';

/** The image of containers that name none: SPREAD_SIDECAR_IMAGE in the environment, else `spread-sidecar:test`. */
export const DEFAULT_IMAGE: string = process.env.SPREAD_SIDECAR_IMAGE || BUILT_IMAGE;

/**
 * The error for an image that the Docker engine neither has nor could pull; undefined when the engine has the image, or cannot
 * be asked.
 *
 * @param cause - what starting a container of the image failed with
 */
export async function missingImage(image: string, cause: unknown): Promise<Error | undefined> {
  const exists = await getContainerRuntimeClient()
    .then((client) => client.image.exists(ImageName.fromString(image)))
    .catch(() => true);
  if (exists) return undefined;
  return new Error(
    `the Docker engine does not have the image ${image} and cannot pull it. Run "npm run image" in a clone of spread-sidecar (builds ${BUILT_IMAGE}) or set another image`,
    { cause },
  );
}
