import { readFileSync } from 'node:fs';

/** A message and its bytes in Spread, in hexadecimal. */
export interface HeaderVector {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: string;
  readonly wire: string;
}

const file = new URL('../../../proto/header-vectors.json', import.meta.url);

/** The test vectors of docs/headers.md. */
export const headerVectors = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly sent: readonly HeaderVector[];
  readonly received: readonly HeaderVector[];
};

/** Own properties, so that `__proto__` is a name like any other. */
export const headersOf = (vector: HeaderVector): Map<string, string> =>
  new Map(Object.entries(vector.headers));
