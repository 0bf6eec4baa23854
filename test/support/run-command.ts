import { execFile } from 'node:child_process';

/** The options of a command. */
export interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Time after which it is killed. Unit: ms. Default: 240,000. */
  timeoutMs?: number;
}

/** Runs a command. Resolves with its output, and rejects with both output streams when it fails. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { timeoutMs = 240_000, ...rest } = options;
  const limits = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 * 1024 } as const;
  return new Promise((resolve, reject) => {
    execFile(command, args, { encoding: 'utf8', ...limits, ...rest }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else
        reject(
          new Error(`${command} failed: ${error.message}\n${stdout.slice(-4000)}\n${stderr.slice(-8000)}`),
        );
    });
  });
}
