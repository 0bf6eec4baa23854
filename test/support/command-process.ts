import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { within } from './until.js';

const MAIN = fileURLToPath(new URL('../../dist/server/main.js', import.meta.url));

/** What `npm test` built, as a process. It is killed when the running test ends, if it still runs. */
export function startCommand(...args: string[]) {
  const child: ChildProcess = spawn(process.execPath, [MAIN, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
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
