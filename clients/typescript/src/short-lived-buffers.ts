import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Bytes of messages after which the young generation is collected. With 4 MiB, live objects become old too early,
 * and with 16 MiB, V8 has already begun to collect the whole heap. Unit: bytes.
 */
const COLLECTION_BYTES = 8 * 1024 * 1024;

/** V8's own function, which exists only in contexts that are created while the flag is set. */
type Collector = (options: { type: 'minor' }) => void;

let collector: Collector | undefined;
let bytesSinceCollection = 0;
let isScheduled = false;

/**
 * Counts a message in a buffer of its own. Collects the young generation after the current turn of the event loop.
 *
 * gRPC needs a new buffer for each message. V8 collects the whole heap when many large buffers live only for a
 * short time, which takes ten times as long: https://github.com/nodejs/node/issues/61967.
 */
export function countShortLived(bytes: number): void {
  bytesSinceCollection += bytes;
  if (bytesSinceCollection < COLLECTION_BYTES || isScheduled) return;
  isScheduled = true;
  setImmediate(() => {
    isScheduled = false;
    bytesSinceCollection = 0;
    collector ??= findCollector();
    collector({ type: 'minor' });
  }).unref();
}

function findCollector(): Collector {
  try {
    const isExposed = process.execArgv.some((option) => /^--expose[-_]gc/.test(option));
    setFlagsFromString('--expose-gc');
    const found: unknown = runInNewContext('gc');
    if (!isExposed) setFlagsFromString('--no-expose-gc');
    if (typeof found === 'function') return found as Collector;
  } catch {
    // A runtime without this function works too, only slower.
  }
  return () => {};
}
