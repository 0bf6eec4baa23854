import { PassThrough } from 'node:stream';
import { onTestFinished } from 'vitest';
import { run } from '../../../server/src/cli/main.js';
import { within } from '../until.js';

/** A command that runs in this process, with streams of its own. */
export interface CliRun {
  /** What it has written so far. */
  readonly stdout: string;
  readonly stderr: string;
  readonly stdin: PassThrough;
  /** The exit code, at its end. */
  readonly exitCode: Promise<number>;
  /** Tells it to stop, as a signal would. */
  stop(reason?: unknown): void;
}

export interface CliOptions {
  readonly env?: Record<string, string>;
  /** What stands on standard input; without it, standard input stays open. */
  readonly input?: string | Buffer;
  /** Makes all streams look like a terminal. */
  readonly terminal?: boolean;
}

/** Starts `spread-sidecar` with these arguments. It is told to stop when the running test ends. */
export function startCli(args: readonly string[], options: CliOptions = {}): CliRun {
  const stream = () =>
    Object.assign(new PassThrough(), options.terminal ? { isTTY: true, columns: 100 } : {});
  const [stdin, stdout, stderr] = [stream(), stream(), stream()];
  const written = { stdout: '', stderr: '' };
  stdout.on('data', (chunk) => {
    written.stdout += chunk;
  });
  stderr.on('data', (chunk) => {
    written.stderr += chunk;
  });
  if (options.input !== undefined) stdin.end(options.input);
  const controller = new AbortController();
  const exitCode = run(args, { stdin, stdout, stderr, env: options.env ?? {}, signal: controller.signal });
  onTestFinished(async () => {
    controller.abort(new Error('the test is over'));
    await exitCode;
  });
  return {
    get stdout() {
      return written.stdout;
    },
    get stderr() {
      return written.stderr;
    },
    stdin,
    exitCode,
    stop: (reason) => controller.abort(reason),
  };
}

/** Runs `spread-sidecar` to its end. */
export async function cli(args: readonly string[], options: CliOptions = {}) {
  const started = startCli(args, { input: '', ...options });
  const exitCode = await within(started.exitCode, `spread-sidecar ${args.join(' ')} ends`, 15_000);
  return { exitCode, stdout: started.stdout, stderr: started.stderr };
}
