import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';

/** Unhandled errors. The listeners keep the process alive. */
export class UncaughtErrors {
  readonly #caught: Error[] = [];
  readonly #onException = (error: unknown) => this.#caught.push(asError(error, 'uncaught exception'));
  readonly #onRejection = (error: unknown) => this.#caught.push(asError(error, 'unhandled rejection'));

  /** Warnings that indicate a defect, such as an invalid timer or listeners that are never removed. */
  readonly #onWarning = (warning: Error) => {
    if (/TimeoutOverflow|TimeoutNegative|TimeoutNaN|MaxListeners/.test(warning.name))
      this.#caught.push(warning);
  };

  constructor() {
    process.on('warning', this.#onWarning);
    process.on('uncaughtException', this.#onException);
    process.on('unhandledRejection', this.#onRejection);
  }

  /** The first such error since the last call. */
  take(): Error | undefined {
    return this.#caught.splice(0)[0];
  }

  stop(): void {
    process.off('warning', this.#onWarning);
    process.off('uncaughtException', this.#onException);
    process.off('unhandledRejection', this.#onRejection);
  }
}

function asError(error: unknown, kind: string): Error {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return Object.assign(new Error(`${kind}: ${message}`), { stack: (error as Error | undefined)?.stack });
}

/**
 * A worker thread that ends the process when the event loop or one input stalls for too long, because a stalled
 * thread cannot end itself. It first prints the input.
 */
export class HangWatch {
  readonly #beats = new Int32Array(new SharedArrayBuffer(8));
  readonly #worker: Worker;
  readonly #timer: NodeJS.Timeout;
  #lateness = 0;
  #expected = performance.now();

  /** @param hangMs - longest time without progress */
  constructor(hangMs: number) {
    this.#worker = new Worker(WATCH, {
      eval: true,
      // The options of this process can include loaders, which the worker does not need.
      execArgv: [],
      workerData: { beats: this.#beats, hangMs, pid: process.pid },
    });
    this.#worker.unref();
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.#lateness = Math.max(this.#lateness, now - this.#expected - BEAT_MS);
      this.#expected = now;
      this.beat();
    }, BEAT_MS);
  }

  beat(): void {
    Atomics.add(this.#beats, 0, 1);
  }

  /** Reports that input `index` of the announced group starts. */
  next(index: number): void {
    this.#beats[1] = index;
    Atomics.add(this.#beats, 0, 1);
  }

  /** The group of the next inputs, for example `target/seed`. */
  announce(what: string): void {
    this.#worker.postMessage(what);
  }

  /** Longest time that the event loop was busy without a break since the last call. Unit: ms. */
  takeLateness(): number {
    const lateness = this.#lateness;
    this.#lateness = 0;
    this.#expected = performance.now();
    return lateness;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#worker.terminate();
  }
}

const BEAT_MS = 100;

const WATCH = `
const { parentPort, receiveMessageOnPort, workerData } = require('node:worker_threads');
const { writeSync } = require('node:fs');
const { beats, hangMs, pid } = workerData;
let last = -1;
let since = Date.now();
let what = 'nothing yet';
setInterval(() => {
  const beat = Atomics.load(beats, 0);
  if (beat !== last) {
    last = beat;
    since = Date.now();
    return;
  }
  if (Date.now() - since < hangMs) return;
  // The announcement may still wait in the port: the loop of this thread turns, but be sure.
  for (let m = receiveMessageOnPort(parentPort); m; m = receiveMessageOnPort(parentPort)) what = m.message;
  writeSync(2, 'HANG: nothing happened for ' + hangMs + ' ms in input ' + what + '/' + beats[1] + '\\n');
  process.kill(pid, 'SIGKILL');
}, 200);
parentPort.on('message', (message) => { what = message; });
`;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** The resources of a process. */
export interface Holdings {
  /** Heap and external memory after a garbage collection. Unit: bytes. */
  readonly memory: number;
  /** Sockets, timers and other handles of the event loop. */
  readonly handles: number;
  /** Open file descriptors. 0 where the system does not report them. */
  readonly descriptors: number;
  /** Unit: bytes. */
  readonly rss: number;
}

export async function holdings(): Promise<Holdings> {
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return {
    memory: heapUsed + external,
    handles: process.getActiveResourcesInfo().filter((name) => name !== 'Timeout' && name !== 'Immediate')
      .length,
    descriptors: process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0,
    rss,
  };
}

const GROWTH_BYTES = 8 * 1024 * 1024;
const GROWTH_HANDLES = 8;

/**
 * Describes growth when every sample of the last third is above all samples of the first third. Values that only
 * vary are no growth. The first sample belongs to the warm-up and does not count.
 */
export function growthIn(samples: readonly Holdings[]): string | undefined {
  const counted = samples.slice(1);
  if (counted.length < 6) return undefined;
  const third = Math.floor(counted.length / 3);
  const grown = (of: (sample: Holdings) => number) =>
    Math.min(...counted.slice(-third).map(of)) - Math.max(...counted.slice(0, third).map(of));
  const memory = grown((sample) => sample.memory);
  if (memory > GROWTH_BYTES)
    return `${(memory / 2 ** 20).toFixed(1)} MiB more memory in the last third than in the first`;
  const handles = grown((sample) => sample.handles);
  if (handles > GROWTH_HANDLES) return `${handles} more handles in the last third than in the first`;
  const descriptors = grown((sample) => sample.descriptors);
  if (descriptors > GROWTH_HANDLES)
    return `${descriptors} more descriptors in the last third than in the first`;
  return undefined;
}
