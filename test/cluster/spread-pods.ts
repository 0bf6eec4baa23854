import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session } from '../../server/src/spread/session.js';
import { chart } from '../support/chart/helm.js';
import { until } from '../support/until.js';

const PORT = 4803;
const STATUS_PORT = 4815;
/** Address of the bridge, from which the kubelet would probe. */
const NODE_ADDRESSES = ['10.79.1.254/24', 'fd00:79::254/64'];
const scripts = join(chart, 'files');
const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });

interface Pod {
  readonly addresses: ChildProcess;
  readonly daemon: ChildProcess;
}

/**
 * The StatefulSet of the chart without Kubernetes. The pods ring-0..ring-N are network namespaces on one bridge.
 * Each has a real daemon under the supervisor, and the addresses process. A hosts file replaces DNS. Needs root,
 * iproute2, unshare and SPREAD_HOME.
 */
export class SpreadPods {
  readonly #folder = mkdtempSync(join(tmpdir(), 'spp-'));
  readonly #tag = `spp${process.pid % 100_000}`;
  readonly #pods: Pod[] = [];
  readonly #addresses: string[];
  #created = 0;

  private constructor(
    readonly size: number,
    private readonly isDualStack: boolean,
  ) {
    this.#addresses = Array.from({ length: size }, () => this.#nextAddress());
  }

  /** @param isDualStack - each pod also has an IPv6 address, which comes first. Default: false */
  static async start(
    size: number,
    { isDualStack = false }: { isDualStack?: boolean } = {},
  ): Promise<SpreadPods> {
    const pods = new SpreadPods(size, isDualStack);
    try {
      const bridge = pods.#space('br');
      ip('netns', 'add', bridge);
      ip('-n', bridge, 'link', 'add', 'br0', 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0');
      ip('-n', bridge, 'link', 'set', 'br0', 'up');
      for (const address of NODE_ADDRESSES) ip('-n', bridge, 'addr', 'add', address, 'dev', 'br0', 'nodad');
      pods.#writeHosts();
      await Promise.all(pods.#addresses.map((_, i) => pods.#startPod(i)));
      await pods.ringOf(size);
      return pods;
    } catch (error) {
      await pods.stop();
      throw error;
    }
  }

  /** Ends a pod like Kubernetes, and creates it again with another address. */
  async replace(i: number): Promise<void> {
    await this.#endPod(i);
    this.#addresses[i] = this.#nextAddress();
    this.#writeHosts();
    await this.#startPod(i);
  }

  /** Waits until the ring of every daemon has this number of daemons. */
  ringOf(daemons: number, timeoutMs = 30_000): Promise<true> {
    return until(
      async () => {
        const sizes = await Promise.all(this.#pods.map((_, i) => this.status(i)));
        return sizes.every((one) => one?.daemons === daemons && one.isCurrent) ? true : undefined;
      },
      { timeoutMs, what: `a ring of ${daemons}` },
    );
  }

  /** The output of a pod's addresses process, requested inside the pod's network. */
  async status(i: number): Promise<{ daemons?: number; isCurrent: boolean } | undefined> {
    const script = `fetch('http://127.0.0.1:${STATUS_PORT}/status').then((r) => r.text()).then(console.log, () => {})`;
    const query = spawn('ip', ['netns', 'exec', this.#space(i), process.execPath, '-e', script], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let answer = '';
    for await (const part of query.stdout) answer += part;
    return answer.trim() ? JSON.parse(answer) : undefined;
  }

  /** Whether a TCP connection to the first address of a pod succeeds, like the kubelet's probe of the daemon. */
  async isProbedReady(i: number): Promise<boolean> {
    const target = JSON.stringify({ host: this.#podAddresses(i)[0], port: PORT });
    const script = `require('net').connect(${target}).once('connect', () => process.exit(0)).once('error', () => process.exit(1))`;
    const query = spawn('ip', ['netns', 'exec', this.#space('br'), process.execPath, '-e', script], {
      stdio: 'ignore',
    });
    const code = await new Promise((resolve) => query.once('exit', resolve));
    return code === 0;
  }

  connect(i: number): Promise<Session> {
    const path = join(this.#tmp(i), String(PORT));
    return until(
      () =>
        Session.connect({ address: { kind: 'unix', path }, privateName: '', timeoutMs: 2000 }).catch(
          () => undefined,
        ),
      { timeoutMs: 20_000, what: `daemon ring-${i} accepts a session` },
    );
  }

  /** Process IDs of the daemon and of its addresses process. 0 for a process that does not exist. */
  daemonId(i: number): number {
    return this.#childOf(this.#pods[i]!.daemon, 'spread');
  }

  /** SIGSTOP prevents the supervisor from restarting the daemon until SIGCONT. */
  signalSupervisor(i: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#pods[i]!.daemon.kill(signal);
  }

  addressesId(i: number): number {
    return this.#childOf(this.#pods[i]!.addresses, 'node');
  }

  log(i: number): string {
    return join(this.#folder, `ring-${i}.log`);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#pods.map((_, i) => this.#endPod(i)));
    for (const space of [...this.#addresses.keys(), 'br'].map((key) => this.#space(key))) {
      try {
        ip('netns', 'del', space);
      } catch {
        // The namespace does not exist because start() failed early.
      }
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #space(key: number | string): string {
    return `${this.#tag}${key}`;
  }

  #tmp(i: number): string {
    return join(this.#folder, `tmp${i}`);
  }

  #nextAddress(): string {
    this.#created += 1;
    return `10.79.1.${this.#created}`;
  }

  #podAddresses(i: number): string[] {
    const address = this.#addresses[i]!;
    return this.isDualStack ? [`fd00:79::${address.split('.')[3]}`, address] : [address];
  }

  #writeHosts(): void {
    const lines = this.#addresses.map((address, i) => `${address} ring-${i}.nodes\n`);
    writeFileSync(join(this.#folder, 'hosts'), `127.0.0.1 localhost\n${lines.join('')}`);
  }

  #childOf(supervisor: ChildProcess, command: string): number {
    const { stdout } = spawnSync('ps', ['-o', 'pid=,comm=', '--ppid', String(supervisor.pid)], {
      encoding: 'utf8',
    });
    return Number(new RegExp(`^\\s*(\\d+) ${command}$`, 'm').exec(stdout)?.[1] ?? 0);
  }

  async #startPod(i: number): Promise<void> {
    const space = this.#space(i);
    const address = this.#addresses[i]!;
    const run = join(this.#tmp(i), 'run');
    rmSync(run, { recursive: true, force: true });
    for (const folder of [run, this.#tmp(i)]) mkdirSync(folder, { recursive: true });
    ip('netns', 'add', space);
    ip('-n', space, 'link', 'set', 'lo', 'up');
    ip('-n', space, 'link', 'add', 'dd', 'type', 'veth', 'peer', 'name', `p${i}`, 'netns', this.#space('br'));
    ip('-n', this.#space('br'), 'link', 'set', `p${i}`, 'master', 'br0', 'up');
    for (const one of this.#podAddresses(i))
      ip('-n', space, 'addr', 'add', one === address ? `${one}/24` : `${one}/64`, 'dev', 'dd', 'nodad');
    ip('-n', space, 'link', 'set', 'dd', 'up');

    const segments = this.#addresses.map(
      (_, k) => `Spread_Segment 127.0.0.255:${PORT} {\n  ring-${k} {ring-${k}.nodes}\n}\n`,
    );
    const rights = 'SocketPortReuse = On\nDaemonUser = root\nDaemonGroup = root\nRuntimeDir = /\n';
    writeFileSync(join(this.#tmp(i), 'template'), segments.join('') + rights);
    const supervise = (file: string, ...command: string[]) => {
      const script = 'mount --bind "$2" /etc/hosts && mount --bind "$1" /tmp && shift 2 && exec "$@"';
      const child = spawn(
        'ip',
        [
          ...['netns', 'exec', space, 'unshare', '--mount', 'sh', '-c', script, 'sh'],
          ...[this.#tmp(i), join(this.#folder, 'hosts')],
          ...['sh', join(scripts, 'spread-supervisor.sh'), `/tmp/run/${file}`, ...command],
        ],
        {
          stdio: ['ignore', 'pipe', 'pipe'],
          env: { ...process.env, POD_IPS: this.#podAddresses(i).join(',') },
        },
      );
      const log = createWriteStream(this.log(i), { flags: 'a' });
      child.stdout.pipe(log);
      child.stderr.pipe(log);
      return child;
    };
    const addresses = supervise(
      'restart-addresses',
      ...[process.execPath, join(scripts, 'spread-addresses.mjs')],
      ...['/tmp/template', '/tmp/run', `ring-${i}`, String(STATUS_PORT)],
    );
    await until(() => (existsSync(join(run, 'spread.conf')) ? true : undefined), {
      timeoutMs: 10_000,
      what: `the addresses of ring-${i}`,
    });
    const binary = join(process.env.SPREAD_HOME ?? '', 'sbin', 'spread');
    const daemon = supervise('restart', binary, '-n', `ring-${i}`, '-c', '/tmp/run/spread.conf');
    this.#pods[i] = { addresses, daemon };
  }

  async #endPod(i: number): Promise<void> {
    const pod = this.#pods[i];
    if (!pod) return;
    for (const process of [pod.daemon, pod.addresses]) {
      if (process.exitCode !== null || process.signalCode !== null) continue;
      const ended = new Promise((resolve) => process.once('exit', resolve));
      process.kill('SIGTERM');
      await ended;
    }
    ip('-n', this.#space('br'), 'link', 'del', `p${i}`);
    ip('netns', 'del', this.#space(i));
  }
}
