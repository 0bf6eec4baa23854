import { type SidecarOptions, SpreadSidecar } from 'spread-sidecar-client';
import {
  AbstractStartedContainer,
  type StartedNetwork,
  type StartedTestContainer,
  type StopOptions,
  type StoppedTestContainer,
} from 'testcontainers';
import { PORTS } from './ports.js';
import type { SeparateDaemon } from './separate-daemon.js';

/** What a container that runs knows of how it was made. */
export interface Around {
  readonly adminToken: string;
  readonly clientOptions: Omit<SidecarOptions, 'target'>;
  /** Daemons that are not this container's own. */
  readonly daemonAddresses: readonly string[];
  /** What other containers of its network call it; undefined: it is in no network of the test's. */
  readonly hostInNetwork: string | undefined;
  readonly daemon: SeparateDaemon | undefined;
  /** Made for it, and gone with it. */
  readonly ownNetwork: StartedNetwork | undefined;
}

/** A sidecar that runs in a container, and is ready. */
export class StartedSpreadSidecarContainer extends AbstractStartedContainer {
  readonly #around: Around;
  #client: SpreadSidecar | undefined;

  /** @internal */
  constructor(container: StartedTestContainer, around: Around) {
    super(container);
    this.#around = around;
  }

  /** `host:port` of the gRPC service, for programs outside of Docker. */
  get grpcTarget(): string {
    return this.#published(PORTS.grpc);
  }

  /** URL of the metrics, for programs outside of Docker. */
  get metricsUrl(): string {
    return `http://${this.#published(PORTS.admin)}/metrics`;
  }

  /** The credential for listing mailboxes, new for every container. */
  get adminToken(): string {
    return this.#around.adminToken;
  }

  /**
   * The daemon's spread name, `port@host`, for Spread clients outside of Docker.
   *
   * @throws Error when the daemon is yours; see `withDaemonAddresses`
   */
  get spreadDaemon(): string {
    this.#needOwnDaemon('spreadDaemon');
    return this.#around.daemon?.published ?? `${this.getMappedPort(PORTS.daemon)}@${this.getHost()}`;
  }

  /**
   * The daemon's spread name for containers of the same Docker network.
   *
   * @throws Error when the daemon is yours; see `withDaemonAddresses`
   */
  get spreadDaemonInNetwork(): string {
    this.#needOwnDaemon('spreadDaemonInNetwork');
    const host = this.#around.hostInNetwork ?? this.getIpAddress('bridge');
    return this.#around.daemon?.inNetwork ?? `${PORTS.daemon}@${host}`;
  }

  /** How to reach the sidecar, with its TLS and token, for a `SpreadSidecar` or `connect` of your own. */
  get clientOptions(): SidecarOptions {
    return { target: this.grpcTarget, ...this.#around.clientOptions };
  }

  /** A client of the sidecar, one for all who ask. `stop()` closes it. */
  client(): SpreadSidecar {
    this.#client ??= new SpreadSidecar(this.clientOptions);
    return this.#client;
  }

  /**
   * Cuts a mailbox's connection to its daemon, as if the daemon had. With `reconnect` the mailbox tells ConnectionLost and then
   * ConnectionRestored; else it ends with CONNECTION_CLOSED.
   *
   * @param mailbox - its id or its private group
   * @throws Error when there is no such mailbox, or it has no connection now
   */
  async dropMailbox(mailbox: string): Promise<void> {
    const page = `http://${this.#published(PORTS.admin)}/drop-mailbox?mailbox=${encodeURIComponent(mailbox)}`;
    const answer = await fetch(page, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.adminToken}` },
      signal: AbortSignal.timeout(10_000),
    });
    const said = await answer.text();
    if (!answer.ok) throw new Error(`${mailbox} was not dropped: ${said.trim()}`);
  }

  /**
   * Freezes the daemon: its connections stay, and nothing is delivered until `resumeDaemon()`.
   *
   * @throws Error when the daemon is not in a container of its own; see `withSeparateDaemon`
   */
  async pauseDaemon(): Promise<void> {
    await this.#separateDaemon('pauseDaemon').pause();
  }

  /**
   * Lets a paused daemon continue.
   *
   * @throws Error when the daemon is not in a container of its own; see `withSeparateDaemon`
   */
  async resumeDaemon(): Promise<void> {
    await this.#separateDaemon('resumeDaemon').resume();
  }

  /** Closes `client()` and removes all that was started. */
  override async stop(options?: Partial<StopOptions>): Promise<StoppedTestContainer> {
    const { daemon, ownNetwork } = this.#around;
    // A container that was killed in the test has no mailbox to say goodbye to.
    await this.#client?.close().catch(() => {});
    this.#client = undefined;
    try {
      return await super.stop(options);
    } finally {
      await daemon?.stop();
      await ownNetwork?.stop();
    }
  }

  #published(port: number): string {
    return `${this.getHost()}:${this.getMappedPort(port)}`;
  }

  #needOwnDaemon(what: string): void {
    const [theirs] = this.#around.daemonAddresses;
    if (theirs !== undefined)
      throw new Error(`${what}: this sidecar has no daemon of its own, it uses ${theirs}`);
  }

  #separateDaemon(what: string): SeparateDaemon {
    const { daemon } = this.#around;
    if (daemon === undefined)
      throw new Error(`${what} needs a daemon in a container of its own: withSeparateDaemon(), then start()`);
    return daemon;
  }
}
