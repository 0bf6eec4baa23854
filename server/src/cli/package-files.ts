import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// Three folders above, both of the sources and of what is built of them.
const root = new URL('../../../', import.meta.url);

/** The release of this package. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string };
  return version;
}

/** The folder with the contract's proto files. */
export const protoFolder = (): string => fileURLToPath(new URL('proto', root));
