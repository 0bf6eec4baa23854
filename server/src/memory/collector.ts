import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collects garbage synchronously: of the whole heap, or only of the young generation. */
export type Collector = (options?: { readonly type: 'minor' }) => void;

let collector: Collector | undefined;

/** V8's own function. It exists only in contexts that are created while the flag is set. */
export function garbageCollector(): Collector {
  if (collector) return collector;
  setFlagsFromString('--expose-gc');
  collector = runInNewContext('gc') as Collector;
  setFlagsFromString('--no-expose-gc');
  return collector;
}
