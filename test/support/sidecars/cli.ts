import { PassThrough } from 'node:stream';
import { onTestFinished } from 'vitest';
import { run } from '../../../server/src/cli/main.js';
import { within } from '../until.js';

/** A command in this process, with its own streams. */
export interface CliRun {
  /** The output so far. */
  readonly stdout: string;
  readonly stderr: string;
  readonly stdin: PassThrough;
  /** The exit code, at its end. */
  readonly exitCode: Promise<number>;
  /** Stops it, as a signal does. */
  stop(reason?: unknown): void;
}

export interface CliOptions {
  readonly env?: Record<string, string>;
  /** The content of standard input. Without it, standard input stays open. */
  readonly input?: string | Buffer;
  /** Makes all streams look like a terminal. */
  readonly terminal?: boolean;
}

/** Starts `spread-sidecar` with these arguments. It is stopped at the end of the running test. */
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
