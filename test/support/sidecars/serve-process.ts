import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { within } from '../until.js';

/** The built program. bin/spread-sidecar.mjs would build again when a source changes during the test. */
const MAIN = fileURLToPath(new URL('../../../dist/server/main.js', import.meta.url));

/** The end of a process. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** `spread-sidecar serve` as a process. The caller must call end(); tests use SidecarProcess. */
export class ServeProcess {
  readonly #child: ChildProcess;
  readonly exited: Promise<Exit>;
  stdout = '';
  stderr = '';

  /**
   * @param launcher - a command that runs the following command, for example one that first enters a cgroup;
   * default: none
   */
  constructor(args: readonly string[], env: Record<string, string> = {}, launcher: readonly string[] = []) {
    const [command, ...rest] = [...launcher, process.execPath, MAIN, 'serve', ...args] as [
      string,
      ...string[],
    ];
    this.#child = spawn(command, rest, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (text) => {
      this.stdout += text;
    });
    this.#child.stderr?.on('data', (text) => {
      this.stderr += text;
    });
    this.exited = new Promise((resolve) =>
      this.#child.once('close', (code, signal) => resolve({ code, signal })),
    );
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Kills the process if it still runs. */
  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  /** Resolves when `/readyz` on `adminPort` reports ready. Rejects if the process ends before. */
  async ready(adminPort: number, timeoutMs = 10_000): Promise<void> {
    const ended = this.exited.then(({ code }) => {
      throw new Error(`the sidecar ended with ${code}: ${this.stderr}`);
    });
    const answer = async () => {
      for (;;) {
        const response = await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined);
        if (response?.ok) return;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    await within(Promise.race([answer(), ended]), 'the sidecar is ready', timeoutMs);
  }
}

const given = new Set<number>();

/** A free TCP port. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  // The system may return a port again after it was closed, for another address of the same sidecar.
  if (given.has(port)) return freePort();
  given.add(port);
  return port;
}
