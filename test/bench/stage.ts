import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '../../scripts/clients/index.mjs';
import { ClientDriver } from './client-driver.js';
import type { Server } from './servers/server-process.js';
import {
  type Daemon,
  type OtherServer,
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

  /**
   * @param node - path of the Node binary that runs sidecars, embedded daemons and roles
   * @param profiles - folder for the CPU profiles of sidecars and embedded daemons
   */
  constructor(
    readonly node: string,
    readonly profiles?: string,
  ) {}

  daemon(kind: DaemonKind): Promise<Daemon> {
    return this.#once(kind, () =>
      kind === 'real' ? startRealDaemon() : startEmbeddedDaemon(this.node, this.profiles),
    );
  }

  /**
   * @param daemon - `inside`: the embedded daemon in the sidecar's own process
   * @param options - further flags of `serve`
   */
  sidecar(daemon: DaemonKind | 'inside', options: readonly string[] = []): Promise<Sidecar> {
    return this.#once(['sidecar', daemon, ...options].join(' '), async () =>
      startSidecar(
        this.node,
        this.folder,
        daemon === 'inside' ? undefined : await this.daemon(daemon),
        this.profiles,
        options,
      ),
    );
  }

  nats(): Promise<OtherServer> {
    return this.#once('nats', startNats);
  }

  redis(): Promise<OtherServer> {
    return this.#once('redis', startRedis);
  }

  grpcRelay(): Promise<OtherServer> {
    return this.#once('grpc relay', () => startGrpcRelay(this.node));
  }

  client(client: Client, asyncio: boolean): Promise<ClientDriver> {
    return this.#once(`client ${client.language} ${asyncio}`, () => ClientDriver.start(client, asyncio));
  }

  /** A name that this stage has not used before. */
  freshName(prefix: string): string {
    this.#names += 1;
    return `${prefix}${this.#names}`;
  }

  /** A new, empty stage like this one, for servers that serve only one measurement. The caller closes it. */
  fresh(): Stage {
    return new Stage(this.node, this.profiles);
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
