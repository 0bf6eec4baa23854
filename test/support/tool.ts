import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { until } from './until.js';

/** An interactive command-line program. It is killed at the end of the running test. */
export class Tool {
  /** The complete output of both streams. */
  output = '';
  exitCode: number | null = null;
  #seen = 0;
  readonly #process: ChildProcessWithoutNullStreams;

  constructor(command: string, args: readonly string[]) {
    // Without a terminal, C programs buffer their output.
    this.#process = spawn('stdbuf', ['-o0', command, ...args]);
    for (const stream of [this.#process.stdout, this.#process.stderr])
      stream.on('data', (chunk: Buffer) => {
        this.output += chunk.toString('latin1');
      });
    this.#process.on('error', (error) => {
      this.output += error.message;
    });
    // Not 'exit', because output may arrive after it.
    this.#process.on('close', (code) => {
      this.exitCode = code ?? -1;
    });
    this.#process.stdin.on('error', () => {});
    onTestFinished(() => {
      this.#process.kill('SIGKILL');
    });
  }

  /** Sends a line. */
  type(line: string): void {
    this.#process.stdin.write(`${line}\n`);
  }

  /** Waits until it has printed `text` after the text of the previous wait. */
  async prints(text: string, timeoutMs = 10_000): Promise<void> {
    const at = await until(
      () => {
        const found = this.output.indexOf(text, this.#seen);
        return found < 0 ? undefined : { found };
      },
      { timeoutMs, what: `'${text}' in what the program prints` },
    ).catch((error) => {
      throw new Error(`${error.message}\nIt printed:\n${this.output.slice(this.#seen)}`);
    });
    this.#seen = at.found + text.length;
  }

  /** Waits for its end. */
  async exits(timeoutMs = 30_000): Promise<number> {
    await until(() => this.exitCode !== null, { timeoutMs, what: `the end of the program` }).catch(
      (error) => {
        throw new Error(`${error.message}\nIt printed:\n${this.output.slice(-2000)}`);
      },
    );
    return this.exitCode!;
  }
}
