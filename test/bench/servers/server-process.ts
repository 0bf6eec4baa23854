import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { connect, type NetConnectOpts } from 'node:net';
import { delimiter, join } from 'node:path';
import { until } from '../../support/until.js';

const START_MS = 15_000;

/** A process that runs while roles work: its name in the report, its process ID, and how to stop it. */
export interface Server {
  readonly name: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** The end of a process. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A server program. */
export class ServerProcess implements Server {
  readonly #child: ChildProcess;
  readonly exited: Promise<Exit>;
  #output = '';

  constructor(
    readonly name: string,
    command: string,
    args: readonly string[],
    { cwd, env = {} }: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
  ) {
    this.#child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (text) => {
        this.#output = (this.#output + text).slice(-10_000);
      });
    this.exited = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#output += error.message;
        resolve({ code: null, signal: null });
      });
      this.#child.once('close', (code, signal) => resolve({ code, signal }));
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Resolves when the program accepts connections. */
  async listens(where: NetConnectOpts): Promise<void> {
    await this.starts(() => accepts(where), 'accepts connections');
  }

  /** Resolves when `condition` holds. Rejects if the program ends before. */
  async starts(condition: () => Promise<boolean>, what: string): Promise<void> {
    await until(
      () => {
        const { exitCode, signalCode } = this.#child;
        if (exitCode !== null || signalCode !== null || this.pid === undefined)
          throw new Error(`${this.name} did not start:\n${this.#output}`);
        return condition();
      },
      { timeoutMs: START_MS, what: `${this.name} ${what}` },
    );
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), 15_000);
    await this.exited;
    clearTimeout(killer);
  }

  /** Ends the program without its own shutdown. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }
}

function accepts(where: NetConnectOpts): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(where);
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** The path of a program. Debian installs servers in folders that a user's PATH does not contain. */
export function findProgram(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const folders = [...(env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
