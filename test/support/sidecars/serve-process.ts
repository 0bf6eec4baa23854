import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { BUILT_PROGRAM } from '../built-program.js';
import { within } from '../until.js';

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
   * @param node - the Node binary. Default: that of this process
   */
  constructor(
    args: readonly string[],
    env: Record<string, string> = {},
    launcher: readonly string[] = [],
    node = process.execPath,
  ) {
    const [command, ...rest] = [...launcher, node, BUILT_PROGRAM, 'serve', ...args] as [string, ...string[]];
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

/**
 * The first port. The last one is below those that systems choose for outgoing connections (Linux: 32,768 and above), which any
 * program can use at any time. `fetch` rejects the port 10,080.
 */
const FIRST_PORT = 11_000;
const PORTS = 20_000;
/** Processes that run at the same time begin with different ports. */
const PORTS_PER_PROCESS = 100;
/** A Spread daemon also uses the UDP port after its own. */
const PORTS_PER_DAEMON = 2;

let next = (process.pid * PORTS_PER_PROCESS) % PORTS;

/** A TCP port that is free on every address. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < PORTS / PORTS_PER_DAEMON; tries++) {
    const port = FIRST_PORT + next;
    next = (next + PORTS_PER_DAEMON) % PORTS;
    if ((await isFree(port, '0.0.0.0')) && (await isFree(port, '::'))) return port;
  }
  throw new Error(`no port from ${FIRST_PORT} to ${FIRST_PORT + PORTS - 1} is free`);
}

function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    // A machine without IPv6 has no port there that could be occupied.
    server.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code !== 'EADDRINUSE' && code !== 'EACCES'),
    );
    server.listen({ port, host, ipv6Only: host === '::' }, () => server.close(() => resolve(true)));
  });
}
