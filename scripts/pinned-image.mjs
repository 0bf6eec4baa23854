/** Docker gives images of Docker Hub several names: `node`, `library/node`, `docker.io/library/node`. */
const repositoryOf = (image) =>
  image
    .replace(/@.*$/, '')
    .replace(/:[^:/]*$/, '')
    .replace(/^(index\.)?docker\.io\//, '')
    .replace(/^library\//, '');

/**
 * An image by its tag and its digest, so that two uses of the name can't mean two images.
 *
 * @param name the image, such as `node:24-slim`; one with a digest is returned as it is
 * @param repoDigests what Docker knows, such as `node@sha256:…`. A digest of another repository, such as a mirror's, is not used:
 *   this repository may not have it
 * @returns the name as it is when no digest of its repository is known: an imported image has none
 */
export function pinnedImage(name, repoDigests) {
  if (name.includes('@')) return name;
  for (const known of repoDigests) {
    const [, image, digest] = /^(\S+)@(sha256:[0-9a-f]{64})$/.exec(known.trim()) ?? [];
    if (image !== undefined && repositoryOf(image) === repositoryOf(name)) return `${name}@${digest}`;
  }
  return name;
}
