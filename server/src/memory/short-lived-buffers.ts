import { garbageCollector } from './collector.js';

/** Payload bytes after which the young generation is collected. Unit: bytes. */
const COLLECTION_BYTES = 16 * 1024 * 1024;

/**
 * Whether this V8 frees short-lived buffers too late. Until V8 12, many new buffers start a collection of the young generation, which
 * frees them. Later releases collect the whole heap instead: https://github.com/nodejs/node/issues/61967.
 *
 * @param v8Version - `process.versions.v8`
 */
export function freesBuffersLate(v8Version: string): boolean {
  return Number.parseInt(v8Version, 10) >= 13;
}

/** Counts the payload bytes that pass through the process, and has their buffers collected regularly. */
export class ShortLivedBuffers {
  #bytes = 0;
  #isScheduled = false;

  /** @param collect - collects the young generation. Undefined: V8 does so by itself */
  constructor(private readonly collect: (() => void) | undefined) {}

  /** Counts a message or a frame that is in buffers of its own. Collects after the current turn of the event loop. */
  count(bytes: number): void {
    if (this.collect === undefined) return;
    this.#bytes += bytes;
    if (this.#bytes < COLLECTION_BYTES || this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#bytes = 0;
      this.collect?.();
    });
  }
}

/** The buffers of this process. */
export const shortLivedBuffers = new ShortLivedBuffers(
  freesBuffersLate(process.versions.v8) ? () => garbageCollector()({ type: 'minor' }) : undefined,
);
