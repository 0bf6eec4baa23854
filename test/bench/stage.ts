import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '../../scripts/clients/index.mjs';
import { ClientDriver } from './client-driver.js';
import { startDaprd } from './servers/dapr.js';
import type { Server } from './servers/server-process.js';
import {
  type Daemon,
  MANY_SESSION_MESSAGES,
  type OtherServer,
  type ServerSettings,
  type Sidecar,
  startEmbeddedDaemon,
  startGrpcRelay,
  startNats,
  startRealDaemon,
  startRedis,
  startSidecar,
} from './servers/servers.js';

export type DaemonKind = 'real' | 'embedded';

/**
 * The servers of a scenario. Each starts when it is first needed and serves all rounds, so that it is warm. An
 * unused server is idle.
 */
export class Stage {
  /** Folder for sockets, removed at the end. */
  readonly folder = mkdtempSync(join(tmpdir(), 'spb-'));
  readonly #servers = new Map<string, Promise<Server>>();
  #names = 0;

  readonly settings: ServerSettings;

  constructor(settings: Pick<ServerSettings, 'node'> & Partial<ServerSettings>) {
    this.settings = { maxSessionMessages: MANY_SESSION_MESSAGES, ...settings };
  }

  /** Path of the Node binary that also runs roles. */
  get node(): string {
    return this.settings.node;
  }

  daemon(kind: DaemonKind): Promise<Daemon> {
    return this.#once(kind, () =>
      kind === 'real' ? startRealDaemon(this.settings) : startEmbeddedDaemon(this.settings),
    );
  }

  /**
   * @param daemon - `inside`: the embedded daemon in the sidecar's own process
   * @param options - further flags of `serve`
   * @param env - further variables of the process
   */
  sidecar(
    daemon: DaemonKind | 'inside',
    options: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Sidecar> {
    const key = ['sidecar', daemon, ...options, JSON.stringify(env)].join(' ');
    return this.#once(key, async () => {
      const behind = daemon === 'inside' ? undefined : await this.daemon(daemon);
      return startSidecar(this.settings, this.folder, behind, options, env);
    });
  }

  nats(): Promise<OtherServer> {
    return this.#once('nats', startNats);
  }

  redis(): Promise<OtherServer> {
    return this.#once('redis', startRedis);
  }

  daprd(): Promise<OtherServer> {
    return this.#once('daprd', () => startDaprd(this.folder));
  }

  grpcRelay(): Promise<OtherServer> {
    return this.#once('grpc relay', () => startGrpcRelay(this.settings));
  }

  client(client: Client, asyncio: boolean): Promise<ClientDriver> {
    return this.#once(`client ${client.language} ${asyncio}`, () => ClientDriver.start(client, asyncio));
  }

  /** A name that this stage has not used before. */
  freshName(prefix: string): string {
    this.#names += 1;
    return `${prefix}${this.#names}`;
  }

  /**
   * A new, empty stage like this one, for servers that serve only one measurement. The caller closes it.
   *
   * @param changes - settings that differ from those of this stage
   */
  fresh(changes: Partial<ServerSettings> = {}): Stage {
    return new Stage({ ...this.settings, ...changes });
  }

  async close(): Promise<void> {
    // Sidecars started after their daemons and stop before them.
    for (const server of [...this.#servers.values()].reverse())
      await server.then(
        (started) => started.stop(),
        () => {},
      );
    rmSync(this.folder, { recursive: true, force: true });
  }

  #once<Kind extends Server>(key: string, start: () => Promise<Kind>): Promise<Kind> {
    const started = this.#servers.get(key) ?? start();
    this.#servers.set(key, started);
    return started as Promise<Kind>;
  }
}
