import { type ChildProcess, spawn } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { BUILT_PROGRAM } from '../built-program.js';
import { within } from '../until.js';

/** The built program as a process. It is killed at the end of the running test. */
export function startCommand(...args: string[]) {
  return startCommandUnder([], ...args);
}

/** The same, started by another command, for example one that lowers a limit. */
export function startCommandUnder(launcher: readonly string[], ...args: string[]) {
  const [command, ...rest] = [...launcher, process.execPath, BUILT_PROGRAM, ...args] as [string, ...string[]];
  const child: ChildProcess = spawn(command, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
  const written = { stdout: '', stderr: '' };
  child.stdout?.on('data', (text) => {
    written.stdout += text;
  });
  child.stderr?.on('data', (text) => {
    written.stderr += text;
  });
  const exited = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal)),
  );
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return { child, written, exited: () => within(exited, `${args[0]} exits`, 10_000) };
}
