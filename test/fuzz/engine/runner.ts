import { Random } from '../../chaos/random.js';
import { type Input, sizeOf } from './input.js';
import { minimise } from './minimise.js';
import { mutate } from './mutator.js';
import { growthIn, type HangWatch, type Holdings, holdings, UncaughtErrors } from './process-watch.js';
import type { Subject, Target } from './target.js';

/** A violation that the fuzzer found. */
export interface Finding {
  readonly target: string;
  readonly kind: 'threw' | 'uncaught' | 'no end' | 'slow' | 'harm' | 'growth';
  readonly message: string;
  readonly stack: string | undefined;
  /** One minimised input, or several inputs when only a whole chunk causes the finding. */
  readonly inputs: readonly Input[];
  /** The location of the first input, for --replay. */
  readonly place: string;
}

export interface RunOptions {
  readonly seed: number;
  /** Largest number of inputs. */
  readonly inputs: number;
  /** In the time of performance.now(). */
  readonly deadline: number;
  readonly watch: HangWatch;
  /** Number of the first input, for a replay. */
  readonly first?: number;
  /** Called for each chunk before it runs, so that the location is known if the process dies. */
  readonly onChunk?: (place: string) => void;
  /** Number of samples of memory and handles. 0: none. Default 20. */
  readonly samples?: number;
  /** Time limit of one input. Unit: ms. Default 10,000. */
  readonly inputMs?: number;
  /** Longest time that one input may keep the event loop busy. Unit: ms. Default 500. */
  readonly busyMs?: number;
}

export interface Report {
  readonly target: string;
  readonly inputs: number;
  readonly seconds: number;
  /** Number of inputs for each outcome. */
  readonly outcomes: ReadonlyMap<string, number>;
  readonly findings: readonly Finding[];
  readonly samples: readonly Holdings[];
}

/** The random numbers of one input. They depend only on these arguments, so the input can be reproduced. */
const chanceOf = (target: string, seed: number, index: number) => new Random(`${seed}/${target}/${index}`);

/** A target with this number of different findings is stopped. */
const MAX_FINDINGS = 10;
/** Largest number of distinct outcomes in the report. */
const MAX_OUTCOMES = 500;
/** Delay of the whole event loop that counts as a finding. Unit: ms. */
const LATE_MS = 4000;

export async function fuzz(target: Target, options: RunOptions): Promise<Report> {
  const run = new Run(target, options);
  return run.go();
}

class Run {
  readonly #uncaught = new UncaughtErrors();
  readonly #outcomes = new Map<string, number>();
  readonly #findings: Finding[] = [];
  readonly #samples: Holdings[] = [];
  #subject!: Subject;
  #done = 0;

  constructor(
    private readonly target: Target,
    private readonly options: RunOptions,
  ) {}

  async go(): Promise<Report> {
    const { target, options } = this;
    const began = performance.now();
    options.watch.announce(`${target.name}/${options.seed}`);
    this.#subject = await target.open();
    try {
      while (
        this.#done < options.inputs &&
        performance.now() < options.deadline &&
        this.#findings.length < MAX_FINDINGS
      ) {
        const first = (options.first ?? 0) + this.#done;
        const count = Math.min(target.chunk, options.inputs - this.#done);
        options.onChunk?.(this.#place(first));
        await this.#chunk(first, count);
        this.#done += count;
        await this.#sample(began);
      }
      const growth = growthIn(this.#samples);
      if (growth)
        this.#add({ kind: 'growth', message: growth, stack: undefined, inputs: [] }, options.first ?? 0);
    } finally {
      this.#uncaught.stop();
      await this.#subject.stop?.();
    }
    return {
      target: target.name,
      inputs: this.#done,
      seconds: (performance.now() - began) / 1000,
      outcomes: this.#outcomes,
      findings: this.#findings,
      samples: this.#samples,
    };
  }

  #place(index: number): string {
    return `${this.target.name}/${this.options.seed}/${index}`;
  }

  #input(index: number): Input {
    const random = chanceOf(this.target.name, this.options.seed, index);
    return this.#subject.generate?.(random) ?? mutate(random, this.#subject.material);
  }

  async #chunk(first: number, count: number): Promise<void> {
    const { watch } = this.options;
    const end = first + count;
    let next = first;
    watch.takeLateness();
    const lane = async () => {
      while (next < end && this.#findings.length < MAX_FINDINGS) {
        const index = next++;
        watch.next(index);
        const input = this.#input(index);
        const failed = this.#tryOne(input, true);
        const failure = failed instanceof Promise ? await failed : failed;
        if (failure) await this.#alone(failure, input, index);
      }
    };
    await Promise.all(Array.from({ length: this.target.lanes }, lane));
    const harm = await this.#harm();
    const lateness = watch.takeLateness();
    if (harm) await this.#search(harm, first, count);
    else if (lateness > LATE_MS && this.target.kind === 'network') {
      const message = `the event loop was busy for ${Math.round(lateness)} ms`;
      this.#add({ kind: 'slow', message, stack: undefined, inputs: this.#inputs(first, count) }, first);
    }
  }

  /** Runs one input and returns its failure, if any. Synchronous targets return no promise. */
  #tryOne(input: Input, counted: boolean): Failure | undefined | Promise<Failure | undefined> {
    const began = performance.now();
    let result: string | Promise<string>;
    try {
      result = this.#subject.run(input);
    } catch (error) {
      return threw(error);
    }
    if (result instanceof Promise) return this.#settled(result, counted);
    if (counted) this.#count(result);
    return performance.now() - began > this.#busyMs ? this.#slow(input) : undefined;
  }

  get #busyMs(): number {
    return this.options.busyMs ?? 500;
  }

  async #settled(result: Promise<string>, counted: boolean): Promise<Failure | undefined> {
    const most = this.options.inputMs ?? 10_000;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Failure>((resolve) => {
      timer = setTimeout(
        () => resolve({ kind: 'no end', message: `no end within ${most} ms`, stack: undefined }),
        most,
      );
    });
    try {
      return await Promise.race([
        late,
        result.then((outcome) => {
          if (counted) this.#count(outcome);
          return undefined;
        }, threw),
      ]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Another process may have used the processor: only an input that is slow every time counts as slow. */
  #slow(input: Input): Failure | undefined {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 3; i++) {
      const began = performance.now();
      this.options.watch.beat();
      this.#subject.run(input);
      least = Math.min(least, performance.now() - began);
    }
    if (least <= this.#busyMs) return undefined;
    return { kind: 'slow', message: `it takes ${Math.round(least)} ms`, stack: undefined };
  }

  #count(outcome: string): void {
    const known = this.#outcomes.get(outcome);
    if (known !== undefined) this.#outcomes.set(outcome, known + 1);
    else {
      const name = this.#outcomes.size < MAX_OUTCOMES ? outcome : 'others';
      this.#outcomes.set(name, (this.#outcomes.get(name) ?? 0) + 1);
    }
  }

  /** A failure that no single input caused. */
  async #harm(): Promise<Failure | undefined> {
    let failure: Failure | undefined;
    try {
      await this.#subject.settle?.();
    } catch (error) {
      failure = { ...threw(error), kind: 'harm' };
    }
    // Node reports unhandled rejections in a later turn.
    await new Promise((resolve) => setImmediate(resolve));
    const uncaught = this.#uncaught.take();
    if (uncaught) return { kind: 'uncaught', message: uncaught.message, stack: uncaught.stack };
    return failure;
  }

  /** Minimises a finding of one input and stores it. */
  async #alone(failure: Failure, input: Input, index: number): Promise<void> {
    if (this.#isKnown(failure)) return;
    const same = async (candidate: Input) => {
      this.options.watch.beat();
      const again = await this.#tryOne(candidate, false);
      return again?.kind === failure.kind && signature(again) === signature(failure);
    };
    const tries =
      failure.kind === 'no end' || failure.kind === 'slow' ? 8 : this.target.kind === 'network' ? 100 : 2000;
    this.#add({ ...failure, inputs: [await minimise(input, same, tries)] }, index);
  }

  /** Finds the input of a failed chunk that causes the failure alone. */
  async #search(harm: Failure, first: number, count: number): Promise<void> {
    if (this.#isKnown(harm)) return;
    const does = async (input: Input) => {
      if (harm.kind === 'harm') await this.#reopen();
      this.options.watch.beat();
      await this.#tryOne(input, false);
      const again = await this.#harm();
      return again !== undefined && signature(again) === signature(harm);
    };
    const inputs = this.#inputs(first, count);
    for (const [offset, input] of inputs.entries()) {
      if (!(await does(input))) continue;
      this.#add({ ...harm, inputs: [await minimise(input, does, 60)] }, first + offset);
      await this.#reopen();
      return;
    }
    this.#add({ ...harm, inputs }, first);
    await this.#reopen();
  }

  #inputs(first: number, count: number): Input[] {
    return Array.from({ length: count }, (_, i) => this.#input(first + i));
  }

  async #reopen(): Promise<void> {
    await this.#subject.stop?.();
    this.#subject = await this.target.open();
  }

  #isKnown(failure: Failure): boolean {
    return this.#findings.some(
      (known) => known.kind === failure.kind && signature(known) === signature(failure),
    );
  }

  #add(finding: Omit<Finding, 'target' | 'place'>, index: number): void {
    if (!this.#isKnown(finding))
      this.#findings.push({ ...finding, target: this.target.name, place: this.#place(index) });
  }

  async #sample(began: number): Promise<void> {
    const { samples = 20, inputs, deadline } = this.options;
    const byTime = (performance.now() - began) / (deadline - began);
    const progress = Math.max(this.#done / inputs, Number.isFinite(byTime) ? byTime : 0);
    if (samples === 0 || progress * samples < this.#samples.length + 1) return;
    await this.#subject.quiet?.();
    this.#samples.push(await holdings());
  }
}

type Failure = Pick<Finding, 'kind' | 'message' | 'stack'>;

function threw(error: unknown): Failure {
  const { name = 'Error', message = String(error), stack } = (error ?? {}) as Partial<Error>;
  return { kind: 'threw', message: `${name}: ${message}`, stack };
}

/** Identifies a failure. Numbers and quoted texts differ with the input, so they are removed. */
function signature({ message }: Failure): string {
  return message
    .replace(/"[^"]*"|'[^']*'/g, '…')
    .replace(/\d+/g, '0')
    .slice(0, 120);
}

/** Replays inputs one after the other. Returns descriptions of the failures. */
export async function replay(target: Target, inputs: readonly Input[], watch: HangWatch): Promise<string[]> {
  const uncaught = new UncaughtErrors();
  const subject = await target.open();
  const failures: string[] = [];
  try {
    for (const input of inputs) {
      watch.beat();
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('no end within 10000 ms')), 10_000);
      });
      try {
        await Promise.race([late, subject.run(input)]);
      } catch (error) {
        failures.push(`an input of ${sizeOf(input)} bytes: ${(error as Error)?.stack ?? String(error)}`);
      } finally {
        clearTimeout(timer);
      }
    }
    try {
      await subject.settle?.();
    } catch (error) {
      failures.push(`harm: ${(error as Error)?.stack ?? String(error)}`);
    }
    await new Promise((resolve) => setImmediate(resolve));
    for (let error = uncaught.take(); error; error = uncaught.take())
      failures.push(`${error.message}\n${error.stack}`);
  } finally {
    uncaught.stop();
    await subject.stop?.();
  }
  return failures;
}

/** The input at a location `target/seed/index`. */
export async function inputAt(target: Target, seed: number, index: number): Promise<Input> {
  const subject = await target.open();
  try {
    const random = chanceOf(target.name, seed, index);
    return subject.generate?.(random) ?? mutate(random, subject.material);
  } finally {
    await subject.stop?.();
  }
}
