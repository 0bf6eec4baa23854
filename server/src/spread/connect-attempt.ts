import type { Duplex } from 'node:stream';
import { PauseAwareTimer } from '../timing/pause-aware-timer.js';
import { formatAddress, type SpreadAddress } from './address.js';
import { SpreadError } from './spread-error.js';

const MAX_TIMEOUT_MS = 2_147_483_647;

/**
 * Limits one attempt to connect by a time and a signal. The first one fails the attempt and destroys its stream.
 */
export class ConnectAttempt {
  /** Rejects with COULD_NOT_CONNECT when the time or the signal has ended the attempt. Otherwise stays pending. */
  readonly failed: Promise<never>;
  readonly #where: string;
  readonly #signal: AbortSignal | undefined;
  readonly #timer: PauseAwareTimer;
  #stream: Duplex | undefined;
  #reject: (error: SpreadError) => void = () => {};

  /** Throws SpreadError ILLEGAL_TIME for a time outside 1..2147483647 ms. */
  constructor(address: SpreadAddress, timeoutMs: number, signal: AbortSignal | undefined) {
    checkTimeout(timeoutMs);
    this.#where = formatAddress(address);
    this.#signal = signal;
    this.failed = new Promise<never>((_, reject) => {
      this.#reject = reject;
    });
    this.failed.catch(() => {});
    this.#timer = new PauseAwareTimer(timeoutMs, () => {
      this.#fail(`no session with the daemon at ${this.#where} within ${timeoutMs} ms`, undefined);
    });
    signal?.addEventListener('abort', this.#onAbort);
    if (signal?.aborted) this.#onAbort();
  }

  /** The stream to destroy when the attempt fails. */
  use(stream: Duplex): Duplex {
    this.#stream = stream;
    return stream;
  }

  /** The attempt has ended. Nothing can fail it any more. */
  end(): void {
    this.#timer.cancel();
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => {
    this.#fail(`the attempt to connect to the daemon at ${this.#where} was cancelled`, this.#signal?.reason);
  };

  #fail(sentence: string, cause: unknown): void {
    this.end();
    this.#reject(new SpreadError('COULD_NOT_CONNECT', sentence, { cause }));
    this.#stream?.destroy();
  }
}

function checkTimeout(timeoutMs: number): void {
  if (timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS) return;
  const field = 'timeout';
  const bound = `1..${MAX_TIMEOUT_MS} ms`;
  throw new SpreadError(
    'ILLEGAL_TIME',
    `${field} is ${timeoutMs} ms; it must be from 1 to ${MAX_TIMEOUT_MS} ms`,
    {
      field,
      bound,
    },
  );
}
