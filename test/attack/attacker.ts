import { Worker } from 'node:worker_threads';
import type { Attack, Figures, Target } from './attack.js';
import type { AttackerData } from './attacker-thread.js';

/** Time that an attacker gets to close its connections. Unit: ms. */
const CLOSE_MS = 10_000;

/** Time that an attacker gets to load its code. Unit: ms. */
const LOAD_MS = 30_000;

/** A thread of Node 20 does not use the loader of its process. */
const THREAD = `import('tsx/esm/api').then(({ register }) => {
  register();
  return import(${JSON.stringify(new URL('./attacker-thread.ts', import.meta.url).href)});
});`;

/**
 * An attack in a thread of its own, so that its work does not delay the well-behaved client's measurements. The thread loads its code
 * before the attack: on a machine with few cores, that would delay the measurements too.
 */
export class Attacker {
  readonly #worker: Worker;
  readonly #seconds: number;

  private constructor(
    private readonly attack: Attack,
    target: Target,
    short: boolean,
  ) {
    this.#seconds = short ? attack.seconds.short : attack.seconds.full;
    const workerData: AttackerData = { name: attack.name, target, seconds: this.#seconds, short };
    this.#worker = new Worker(THREAD, { eval: true, workerData, execArgv: [] });
  }

  /** Resolves when the attack can begin. The caller must call end(). */
  static async prepare(attack: Attack, target: Target, short: boolean): Promise<Attacker> {
    const attacker = new Attacker(attack, target, short);
    await attacker.#next(LOAD_MS, 'did not load in time');
    return attacker;
  }

  /** Runs the attack. Resolves with its figures. */
  run(): Promise<Figures> {
    this.#worker.postMessage('begin');
    return this.#next(this.#seconds * 1000 + CLOSE_MS, 'did not end in time') as Promise<Figures>;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  /** The next message of the thread. */
  async #next(timeoutMs: number, late: string): Promise<unknown> {
    const what = `the attacker ${this.attack.name}`;
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), timeoutMs);
    try {
      return await new Promise((resolve, reject) => {
        stop.signal.addEventListener('abort', () => reject(new Error(`${what} ${late}`)));
        this.#worker.once('message', resolve);
        this.#worker.once('error', reject);
        this.#worker.once('exit', () => reject(new Error(`${what} ended without figures`)));
      });
    } finally {
      clearTimeout(timer);
      this.#worker.removeAllListeners();
    }
  }
}
