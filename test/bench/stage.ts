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
  startNats,
  startRealDaemon,
  startRedis,
  startSidecar,
} from './servers/servers.js';

export type DaemonKind = 'real' | 'embedded';

/**
 * The servers of a scenario. Each is started when it is first needed and serves all rounds, so that it is as warm as
 * one that serves; one that nobody uses at the moment does nothing.
 */
export class Stage {
  /** For sockets; removed at the end. */
  readonly folder = mkdtempSync(join(tmpdir(), 'spb-'));
  readonly #servers = new Map<string, Promise<Server>>();
  #names = 0;

  /** @param profiles - where sidecars and embedded daemons write CPU profiles */
  constructor(readonly profiles?: string) {}

  daemon(kind: DaemonKind): Promise<Daemon> {
    return this.#once(kind, () => (kind === 'real' ? startRealDaemon() : startEmbeddedDaemon(this.profiles)));
  }

  /**
   * @param daemon - `inside`: the embedded one, in the sidecar's own process
   * @param options - further flags of `serve`
   */
  sidecar(daemon: DaemonKind | 'inside', options: readonly string[] = []): Promise<Sidecar> {
    return this.#once(['sidecar', daemon, ...options].join(' '), async () =>
      startSidecar(
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

  client(client: Client, asyncio: boolean): Promise<ClientDriver> {
    return this.#once(`client ${client.language} ${asyncio}`, () => ClientDriver.start(client, asyncio));
  }

  /** A name that nothing on this stage had before. */
  freshName(prefix: string): string {
    this.#names += 1;
    return `${prefix}${this.#names}`;
  }

  /** An empty stage like this one, for what must not be used twice. Whoever asks for it closes it. */
  fresh(): Stage {
    return new Stage(this.profiles);
  }

  async close(): Promise<void> {
    // Sidecars were started after the daemons that they use, and go before them.
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
