import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { BUILT_PROGRAM } from '../built-program.js';
import { until } from '../until.js';

/** `spread-sidecar daemon`: the embedded daemon as a separate process, which can be killed and restarted. */
export class DaemonProcess {
  #child: ChildProcess | undefined;

  /** @param more - further arguments of the command */
  constructor(
    readonly port: number,
    private readonly more: readonly string[] = [],
  ) {}

  get address(): string {
    return `${this.port}@127.0.0.1`;
  }

  /** Resolves when it accepts connections. */
  async start(): Promise<void> {
    this.#child = spawn(
      process.execPath,
      [BUILT_PROGRAM, 'daemon', '--quiet', '--port', String(this.port), '--socket', 'off', ...this.more],
      { stdio: 'ignore' },
    );
    await until(() => accepts(this.port), { timeoutMs: 10_000, what: `a daemon listens on ${this.port}` });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Kills the process, so that it sends no disconnect message. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
