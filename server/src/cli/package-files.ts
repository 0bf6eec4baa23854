import { readFileSync } from 'node:fs';

// The root is three folders above this file, both in the sources and in the build output.
const root = new URL('../../../', import.meta.url);

/** The release of this package. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string };
  return version;
}
