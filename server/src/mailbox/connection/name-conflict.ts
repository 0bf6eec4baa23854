import { MAX_PRIVATE_NAME } from '../../spread/wire/index.js';

/** What to do when a private name is in use. */
export type NameConflictPolicy = 'FAIL' | 'SUFFIX';

const FIRST_SUFFIX = 2;
const LAST_SUFFIX = 99;

/**
 * The names to try one after the other: the name itself, then with SUFFIX the name followed by 2 to 99, truncated
 * to at most 10 characters. An empty name (the daemon generates one) has no variants.
 */
export function* privateNames(name: string, policy: NameConflictPolicy): Generator<string, void, void> {
  yield name;
  if (policy === 'FAIL' || name === '') return;
  for (let number = FIRST_SUFFIX; number <= LAST_SUFFIX; number++) {
    const suffix = String(number);
    const variant = name.slice(0, MAX_PRIVATE_NAME - suffix.length) + suffix;
    if (variant !== name) yield variant;
  }
}
