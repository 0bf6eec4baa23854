import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** The command that starts a driver. */
export interface DriverCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A response of a driver. */
export type Answer = { readonly ok: unknown } | { readonly error: DriverFailure };

/** The error of a response. README.md describes the other fields. */
export interface DriverFailure {
  readonly kind: 'spread' | 'driver';
  readonly message: string;
}

const START_MS = 20_000;
const END_MS = 5000;
const KEPT_STDERR = 16 * 1024;

/** An active request. */
export interface Running {
  readonly id: number;
  readonly answer: Promise<Answer>;
}

/** The driver of one language, in a process. */
export class DriverProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #exited: Promise<number | null>;
  #greet: (hello: Record<string, unknown>) => void = () => {};
  #next = 1;
  #over: string | undefined;
  /** The end of its log. */
  stderr = '';

  private constructor(how: DriverCommand) {
    this.#child = spawn(how.command, [...how.args], { cwd: how.cwd, env: { ...process.env, ...how.env } });
    this.#child.stderr.on('data', (chunk) => {
      this.stderr = (this.stderr + chunk).slice(-KEPT_STDERR);
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#onLine(line));
    this.#child.stdin.on('error', () => {});
    this.#exited = new Promise((resolve) => {
      this.#child.once('error', (error) => this.#end(error.message));
      this.#child.once('close', (code) => {
        this.#end(`the driver has ended with ${code}`);
        resolve(code);
      });
    });
  }

  /** Resolves when it is ready. */
  static async start(how: DriverCommand, language: string): Promise<DriverProcess> {
    const driver = new DriverProcess(how);
    const hello = await deadline(
      new Promise<Record<string, unknown>>((resolve) => {
        driver.#greet = resolve;
      }),
      START_MS,
      () => `the driver of ${language} is not ready: ${driver.stderr}`,
    );
    if (hello.language !== language)
      throw new Error(`the driver calls itself ${hello.language}, not ${language}`);
    return driver;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Whether it still runs. */
  get alive(): boolean {
    return this.#over === undefined;
  }

  /** Processor time so far. Unit: s. */
  get cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  request(op: string, args: object): Running {
    const id = this.#next;
    this.#next += 1;
    const answer = new Promise<Answer>((resolve) => {
      if (this.#over !== undefined) resolve({ error: { kind: 'driver', message: this.#over } });
      else this.#waiting.set(id, resolve);
    });
    this.#child.stdin.write(`${JSON.stringify({ id, op, args })}\n`);
    return { id, answer };
  }

  /** Ends its input. Resolves with its exit code, or rejects after a timeout. */
  async stop(): Promise<number | null> {
    this.#child.stdin.end();
    return deadline(this.#exited, END_MS, () => `the driver does not end: ${this.stderr}`).catch((error) => {
      this.kill();
      throw error;
    });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #onLine(line: string): void {
    let message: Record<string, unknown>;
    try {
      message = JSON.parse(line);
    } catch {
      this.#end(`the driver printed what is no JSON: ${line}`);
      return;
    }
    if (message.ready === true) this.#greet(message);
    const waiting = this.#waiting.get(message.id as number);
    this.#waiting.delete(message.id as number);
    if (waiting === undefined) return;
    if ('error' in message) waiting({ error: message.error as DriverFailure });
    else waiting({ ok: message.ok });
  }

  #end(why: string): void {
    this.#over ??= why;
    for (const resolve of this.#waiting.values()) resolve({ error: { kind: 'driver', message: why } });
    this.#waiting.clear();
  }
}

/** Rejects after the timeout. */
export function deadline<T>(promise: Promise<T>, ms: number, what: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what()}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
