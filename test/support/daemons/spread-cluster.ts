import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session } from '../../../server/src/spread/session.js';
import { until } from '../until.js';

const PORT = 4803;

export interface SpreadClusterOptions {
  /**
   * A command that runs each daemon with its arguments, for example a debugger. `/tmp` is a separate folder
   * for each daemon. Default: none.
   */
  readonly wrapper?: readonly string[];
  /** Factor for all timeouts, for a wrapper that slows down the daemons. Default: 1. */
  readonly slowdown?: number;
}

/**
 * Real Spread daemons d1 to dN, each in a network namespace, on one bridge that can be cut and healed.
 * Clients reach daemon i over its Unix socket, so that a cut does not affect them. Requires root, iproute2,
 * unshare and SPREAD_HOME. stop() removes everything.
 */
export class SpreadCluster {
  readonly #folder = mkdtempSync(join(tmpdir(), 'spc-'));
  readonly #tag = `sps${process.pid % 100_000}`;
  readonly #daemons: (ChildProcess | undefined)[] = [];

  private constructor(
    readonly size: number,
    private readonly options: SpreadClusterOptions,
  ) {}

  static async start(size: number, options: SpreadClusterOptions = {}): Promise<SpreadCluster> {
    const cluster = new SpreadCluster(size, options);
    try {
      cluster.#buildNetwork();
      cluster.#writeConfiguration();
      for (let i = 1; i <= size; i++) cluster.startDaemon(i);
      await cluster.#formed();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** The Spread name of daemon i, from 1: the path of its Unix socket. */
  address(i: number): string {
    return join(this.folder(i), String(PORT));
  }

  /** The folder that daemon i, from 1, has as /tmp. */
  folder(i: number): string {
    return join(this.#folder, `tmp${i}`);
  }

  /** Whether daemon i runs. */
  isRunning(i: number): boolean {
    const daemon = this.#daemons[i];
    return daemon !== undefined && daemon.exitCode === null && daemon.signalCode === null;
  }

  /** Removes daemon i from the bridge: its packets are lost. Its clients do not notice. */
  cut(i: number): void {
    ip('-n', this.#bridge, 'link', 'set', `p${i}`, 'nomaster');
  }

  heal(i: number): void {
    ip('-n', this.#bridge, 'link', 'set', `p${i}`, 'master', 'br0');
  }

  signal(i: number, signal: NodeJS.Signals): void {
    this.#daemons[i]?.kill(signal);
  }

  /** Kills daemon i. */
  async crash(i: number): Promise<void> {
    const daemon = this.#daemons[i];
    const runs = this.isRunning(i);
    this.#daemons[i] = undefined;
    // A daemon that has aborted sends no further exit event.
    if (!daemon || !runs) return;
    const exited = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill('SIGKILL');
    await exited;
  }

  startDaemon(i: number): void {
    const binary = join(process.env.SPREAD_HOME ?? '', 'sbin', 'spread');
    // Each daemon has its own /tmp, because all Unix sockets are named /tmp/4803.
    const script = 'mount --bind "$1" /tmp && shift && exec "$@"';
    const inNamespace = ['netns', 'exec', this.#space(i), 'unshare', '--mount', 'sh', '-c', script, 'sh'];
    const command = [...(this.options.wrapper ?? []), binary, '-n', `d${i}`, '-c', '/tmp/spread.conf'];
    const daemon = spawn('ip', [...inNamespace, this.folder(i), ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const log = createWriteStream(join(this.#folder, `d${i}.log`), { flags: 'a' });
    daemon.stdout.pipe(log);
    daemon.stderr.pipe(log);
    this.#daemons[i] = daemon;
  }

  async stop(): Promise<void> {
    for (let i = 1; i <= this.size; i++) await this.crash(i);
    for (const space of [...this.#spaces(), this.#bridge]) {
      try {
        ip('netns', 'del', space);
      } catch {
        // It does not exist, because start() failed before.
      }
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #slowdown(): number {
    return this.options.slowdown ?? 1;
  }

  get #bridge(): string {
    return `${this.#tag}br`;
  }

  #space(i: number): string {
    return `${this.#tag}n${i}`;
  }

  #spaces(): string[] {
    return Array.from({ length: this.size }, (_, k) => this.#space(k + 1));
  }

  #buildNetwork(): void {
    ip('netns', 'add', this.#bridge);
    ip('-n', this.#bridge, 'link', 'add', 'br0', 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0');
    ip('-n', this.#bridge, 'link', 'set', 'br0', 'up');
    for (let i = 1; i <= this.size; i++) {
      const space = this.#space(i);
      ip('netns', 'add', space);
      ip('-n', space, 'link', 'set', 'lo', 'up');
      ip('-n', space, 'link', 'add', 'dd', 'type', 'veth', 'peer', 'name', `p${i}`, 'netns', this.#bridge);
      ip('-n', this.#bridge, 'link', 'set', `p${i}`, 'master', 'br0', 'up');
      ip('-n', space, 'addr', 'add', `10.79.0.${i}/24`, 'brd', '10.79.0.255', 'dev', 'dd');
      ip('-n', space, 'link', 'set', 'dd', 'up');
      mkdirSync(this.folder(i), { mode: 0o777 });
    }
  }

  /**
   * Timeouts are half of Spread's defaults for a LAN. The interval of merge lookups is 1.5 s instead of 30 s.
   */
  #writeConfiguration(): void {
    const members = Array.from({ length: this.size }, (_, k) => `  d${k + 1} 10.79.0.${k + 1}\n`).join('');
    const timeouts = {
      Token: 625,
      Hurry: 250,
      Alive: 125,
      Join: 125,
      Rep: 312,
      Seg: 250,
      Gather: 625,
      Form: 625,
    };
    const lines = Object.entries({ ...timeouts, Lookup: 1500 }).map(
      ([name, ms]) => `${name}Timeout = ${ms * this.#slowdown}\n`,
    );
    const rights = 'DaemonUser = root\nDaemonGroup = root\nRuntimeDir = /\n';
    const text = `Spread_Segment 10.79.0.255:${PORT} {\n${members}}\n${rights}${lines.join('')}`;
    for (let i = 1; i <= this.size; i++) writeFileSync(join(this.folder(i), 'spread.conf'), text);
  }

  /** The ring is complete when a member at each daemon sees all members in one view. */
  async #formed(): Promise<void> {
    const sessions: Session[] = [];
    const seen = new Map<number, number>();
    try {
      for (let i = 1; i <= this.size; i++) {
        const path = this.address(i);
        const session = await until(
          () =>
            Session.connect({ address: { kind: 'unix', path }, privateName: '', timeoutMs: 2000 }).catch(
              () => undefined,
            ),
          { timeoutMs: 20_000 * this.#slowdown, what: `daemon d${i} accepts a session` },
        );
        sessions.push(session);
        session.start({
          onMessage: (message) => {
            if (message.kind === 'view') seen.set(i, message.members.length);
          },
          onClose: () => {},
        });
        session.join('formed');
      }
      await until(() => [...seen.values()].filter((count) => count === this.size).length === this.size, {
        timeoutMs: 30_000 * this.#slowdown,
        what: `the ring of ${this.size} daemons`,
      });
    } finally {
      await Promise.all(sessions.map((session) => session.disconnect()));
    }
  }
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
