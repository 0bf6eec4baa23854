import type { Readable, Writable } from 'node:stream';
import { CommandFailure } from './command-failure.js';
import { ExitCode } from './exit-codes.js';
import { isFirstProcess, programName, readMounts } from './program-name.js';
import { Interruption, onSignals } from './terminal/interruption.js';
import { Output } from './terminal/output.js';

type Terminal<Stream> = Stream & { isTTY?: boolean; columns?: number };

/** The environment of a command. Tests pass their own. */
export interface CommandIo {
  readonly stdin: Terminal<Readable>;
  readonly stdout: Terminal<Writable>;
  readonly stderr: Terminal<Writable>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Requests a stop of the command, instead of the process's signals. Its reason should be an Interruption. */
  readonly signal?: AbortSignal;
  /** The program as it was invoked, for hints. Default: `npx spread-sidecar`. */
  readonly program?: string;
  /** Whether users run further commands inside the container whose first process this is. Default: false. */
  readonly isContainer?: boolean;
}

/** The resources of a running command. */
export interface CommandContext {
  readonly stdin: Terminal<Readable>;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The program as it was invoked, such as `npx spread-sidecar`, for hints. */
  readonly program: string;
  /** Whether users run further commands inside this process's container, and so in its environment. */
  readonly isContainer: boolean;
  /** Aborted, with an Interruption, when the command must stop. */
  readonly signal: AbortSignal;
  /** Makes the command continue after the reader has closed its output. */
  runWithoutReader(): void;
  /** Released at the end of the command: signal handlers and unwritten output. */
  close(): Promise<void>;
}

/** Called with the exit code of a command that has ended. */
export type Done = (exitCode: number) => void;

/** Time that a reader gets for the last output of a stopped command. Unit: ms. */
const CLOSE_MS = 1000;

/** The environment of a command in this process. */
export function processIo(): CommandIo {
  const { stdin, stdout, stderr, env, pid } = process;
  const [script, workingFolder, mounts] = [process.argv[1], process.cwd(), readMounts()];
  const program = programName({ env, pid, script, workingFolder, mounts });
  return { stdin, stdout, stderr, env, program, isContainer: isFirstProcess({ pid }) };
}

export function createContext(io: CommandIo): CommandContext {
  const controller = new AbortController();
  const stop = (reason: unknown) => controller.abort(reason);
  let needsReader = true;
  const onGone = (error: NodeJS.ErrnoException) => {
    if (!needsReader) return;
    stop(
      error.code === 'EPIPE'
        ? new Interruption('output closed', ExitCode.ok)
        : new CommandFailure(`cannot write the output: ${error.message}`, ExitCode.failure, error),
    );
  };
  const colors = (io.env.NO_COLOR ?? '') === '' && io.env.TERM !== 'dumb';
  const stdout = new Output(io.stdout, colors, onGone);
  const stderr = new Output(io.stderr, colors, onGone);
  const onAbort = () => stop(io.signal?.reason);
  io.signal?.addEventListener('abort', onAbort, { once: true });
  const forgetSignals = io.signal ? () => {} : onSignals(stop);
  return {
    stdin: io.stdin,
    stdout,
    stderr,
    env: io.env,
    program: io.program ?? 'npx spread-sidecar',
    isContainer: io.isContainer ?? false,
    signal: controller.signal,
    runWithoutReader() {
      needsReader = false;
    },
    async close() {
      // A stopped command ends even if its output is not read.
      const isBounded = controller.signal.aborted || !needsReader;
      const timeoutMs = isBounded ? CLOSE_MS : undefined;
      await Promise.all([stdout.close(timeoutMs), stderr.close(timeoutMs)]);
      forgetSignals();
      io.signal?.removeEventListener('abort', onAbort);
    },
  };
}
