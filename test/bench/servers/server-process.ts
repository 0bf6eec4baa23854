import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { connect, type NetConnectOpts } from 'node:net';
import { delimiter, join } from 'node:path';
import { until } from '../../support/until.js';

/** A process that runs while roles work: its name in the report, its process ID, and how to stop it. */
export interface Server {
  readonly name: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** A server program. */
export class ServerProcess implements Server {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #output = '';

  constructor(
    readonly name: string,
    command: string,
    args: readonly string[],
    cwd?: string,
  ) {
    this.#child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (text) => {
        this.#output = (this.#output + text).slice(-10_000);
      });
    this.#exited = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#output += error.message;
        resolve();
      });
      this.#child.once('close', () => resolve());
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Resolves when the program accepts connections. */
  async listens(where: NetConnectOpts): Promise<void> {
    await until(
      () => {
        if (this.#child.exitCode !== null || this.pid === undefined)
          throw new Error(`${this.name} did not start:\n${this.#output}`);
        return accepts(where);
      },
      { timeoutMs: 15_000, what: `${this.name} takes connections` },
    );
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), 15_000);
    await this.#exited;
    clearTimeout(killer);
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
