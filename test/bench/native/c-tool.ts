import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { findProgram } from '../servers/server-process.js';

/** A program of SPREAD_HOME. If the machine has stdbuf, the program writes each line immediately. */
export class CTool {
  readonly #child: ChildProcess;
  readonly exited: Promise<void>;
  #rest = '';

  /** @param onLine - gets each line, and the time of its arrival in ms of performance.now */
  constructor(name: string, args: readonly string[], onLine: (line: string, at: number) => void) {
    const path = join(process.env.SPREAD_HOME ?? '', 'bin', name);
    const stdbuf = findProgram('stdbuf');
    const [command, all] = stdbuf === undefined ? [path, args] : [stdbuf, ['-oL', path, ...args]];
    this.#child = spawn(command, all, { stdio: ['ignore', 'pipe', 'pipe'] });
    let errors = '';
    this.#child.stderr?.on('data', (text) => {
      errors += text;
    });
    this.#child.stdout?.on('data', (text) => {
      const at = performance.now();
      const lines = (this.#rest + text).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) onLine(line, at);
    });
    this.exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => {
        if (code === 0 || signal !== null) resolve();
        else reject(new Error(`${name} ended with ${code}: ${errors}`));
      });
    });
    // Prevents an unhandled rejection before a caller awaits `exited`.
    this.exited.catch(() => {});
  }

  /** stdbuf replaces itself with the program, so the process ID is the program's. */
  get pid(): number {
    return this.#child.pid as number;
  }

  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#child.kill(signal);
    await this.exited.catch(() => {});
  }
}
