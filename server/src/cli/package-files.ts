import { readFileSync } from 'node:fs';

// Three folders above, both of the sources and of what is built of them.
const root = new URL('../../../', import.meta.url);

/** The release of this package. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string };
  return version;
}
