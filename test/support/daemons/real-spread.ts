import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { until } from '../until.js';
import { probe } from './spread-probe.js';

export interface RealSpreadOptions {
  /** Default: Spread's own, 1000. */
  readonly maxSessionMessages?: number;
  /** Further lines of spread.conf. */
  readonly config?: readonly string[];
  /**
   * The segment with the daemon `localhost`, for its port. Default: a segment with an explicit address, so
   * that the daemon listens only there.
   */
  readonly segment?: (port: number) => string;
  /** A command that runs the daemon with its arguments, for example a debugger. Default: none. */
  readonly wrapper?: readonly string[];
  /** Maximum time until the daemon orders messages. Unit: ms. Default: 15,000. */
  readonly startTimeoutMs?: number;
  /** Lines of spread.access_ip. Default: there is no such file. */
  readonly accessIp?: readonly string[];
}

const onLoopback = (port: number) =>
  `Spread_Segment 127.0.0.255:${port} { localhost 127.0.0.1 { D 127.0.0.1 C 127.0.0.1 } }`;

/** A real daemon named `localhost` from SPREAD_HOME, on a free port of the loopback interface. */
export class RealSpread {
  readonly #folder = mkdtempSync(join(tmpdir(), 'spread-'));
  #process: ChildProcess | undefined;
  #output = '';

  private constructor(
    readonly port: number,
    readonly options: RealSpreadOptions,
  ) {}

  /** Resolves when it accepts clients and orders messages, after some seconds. */
  static async start(options: RealSpreadOptions = {}): Promise<RealSpread> {
    const spread = new RealSpread(await freeSpreadPort(), options);
    try {
      spread.#run();
      await spread.#ready();
      return spread;
    } catch (error) {
      await spread.stop();
      throw error;
    }
  }

  get tcp(): { host: string; port: number } {
    return { host: '127.0.0.1', port: this.port };
  }

  get unix(): { path: string } {
    return { path: `/tmp/${this.port}` };
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /** Whether the daemon still runs. */
  get isRunning(): boolean {
    return this.#process?.exitCode === null && this.#process.signalCode === null;
  }

  get pid(): number {
    return this.#process?.pid as number;
  }

  /** Kills the daemon, so that it sends nothing. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** After kill(): starts the same daemon on the same port. Resolves when it orders messages. */
  async startAgain(): Promise<void> {
    this.#run();
    await this.#ready();
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    if (process && process.exitCode === null && process.signalCode === null) {
      const exited = new Promise((resolve) => process.once('exit', resolve));
      process.kill(signal);
      await exited;
    }
  }

  #run(): void {
    const { maxSessionMessages, config = [], segment = onLoopback, accessIp } = this.options;
    const { username, uid } = userInfo();
    const file = join(this.#folder, 'spread.conf');
    const lines = [
      segment(this.port),
      ...(uid === 0 ? [`DaemonUser = ${username}`, `DaemonGroup = root`] : []),
      `RuntimeDir = ${this.#folder}`,
      ...(maxSessionMessages ? [`MaxSessionMessages = ${maxSessionMessages}`] : []),
      ...config,
    ];
    if (accessIp) writeFileSync(join(this.#folder, 'spread.access_ip'), `${accessIp.join('\n')}\n`);
    writeFileSync(file, `${lines.join('\n')}\n`);
    const binary = join(process.env.SPREAD_HOME ?? '', 'sbin', 'spread');
    const [command, ...args] = [...(this.options.wrapper ?? []), binary, '-n', 'localhost', '-c', file];
    this.#process = spawn(command as string, args, {
      cwd: this.#folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process.on('error', (error) => {
      this.#output += error.message;
    });
    for (const stream of [this.#process.stdout!, this.#process.stderr!])
      stream.on('data', (chunk) => {
        this.#output = (this.#output + chunk).slice(-10_000);
      });
  }

  async #ready(): Promise<void> {
    await until(
      () => {
        if (this.#process?.exitCode !== null) throw new Error(`Spread did not start:\n${this.#output}`);
        return probe(this.tcp);
      },
      {
        timeoutMs: this.options.startTimeoutMs ?? 15_000,
        what: `Spread on port ${this.port} delivers a view`,
      },
    );
  }
}

/**
 * A port that is free for TCP, and for UDP together with the next port, which Spread daemons use among
 * themselves. Below 32768, because Spread's Java client accepts no other.
 */
export async function freeSpreadPort(): Promise<number> {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 17_000);
    const free = await Promise.all([isFreeForTcp(port), isFreeForUdp(port), isFreeForUdp(port + 1)]);
    if (free.every(Boolean)) return port;
  }
}

function isFreeForTcp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function isFreeForUdp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => resolve(false));
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)));
  });
}
