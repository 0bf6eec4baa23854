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

/** The environment of a running container. */
export interface Around {
  readonly adminToken: string;
  readonly clientOptions: Omit<SidecarOptions, 'target'>;
  /** Daemons outside of this container. */
  readonly daemonAddresses: readonly string[];
  /** The host name of this container for other containers. Undefined without a network of the test. */
  readonly hostInNetwork: string | undefined;
  readonly daemon: SeparateDaemon | undefined;
  /** The network that was created for this container, which is removed with it. */
  readonly ownNetwork: StartedNetwork | undefined;
}

/** A running sidecar, which is ready. */
export class StartedSpreadSidecarContainer extends AbstractStartedContainer {
  readonly #around: Around;
  #client: SpreadSidecar | undefined;

  /** @internal */
  constructor(container: StartedTestContainer, around: Around) {
    super(container);
    this.#around = around;
  }

  /** The address of the gRPC service, `host:port`, for programs outside of Docker. */
  get grpcTarget(): string {
    return this.#published(PORTS.grpc);
  }

  /** URL of the metrics, for programs outside of Docker. */
  get metricsUrl(): string {
    return `http://${this.#published(PORTS.admin)}/metrics`;
  }

  /** The admin token, a random value for each container. `listMailboxes` needs it. */
  get adminToken(): string {
    return this.#around.adminToken;
  }

  /**
   * The daemon's Spread name, `port@host`, for native Spread clients outside of Docker.
   *
   * @throws Error if `withDaemonAddresses` was called
   */
  get spreadDaemon(): string {
    this.#needOwnDaemon('spreadDaemon');
    return this.#around.daemon?.published ?? `${this.getMappedPort(PORTS.daemon)}@${this.getHost()}`;
  }

  /**
   * The daemon's Spread name for containers in the sidecar's Docker network.
   *
   * @throws Error if `withDaemonAddresses` was called
   */
  get spreadDaemonInNetwork(): string {
    this.#needOwnDaemon('spreadDaemonInNetwork');
    const host = this.#around.hostInNetwork ?? this.getIpAddress('bridge');
    return this.#around.daemon?.inNetwork ?? `${PORTS.daemon}@${host}`;
  }

  /** The target, TLS and token as client options, to create another `SpreadSidecar` or to call `connect`. */
  get clientOptions(): SidecarOptions {
    return { target: this.grpcTarget, ...this.#around.clientOptions };
  }

  /** Returns a client for this sidecar. Each call returns the same client. `stop()` closes the client. */
  client(): SpreadSidecar {
    this.#client ??= new SpreadSidecar(this.clientOptions);
    return this.#client;
  }

  /**
   * Closes a mailbox's connection to its daemon, as if the daemon had closed it. With `reconnect`, the
   * mailbox receives ConnectionLost and then ConnectionRestored. Without `reconnect`, the mailbox ends with
   * CONNECTION_CLOSED.
   *
   * @param mailbox - the mailbox ID, the display ID or the private group
   * @throws Error if the mailbox does not exist or is not connected
   */
  async dropMailbox(mailbox: string): Promise<void> {
    const page = `http://${this.#published(PORTS.admin)}/drop-mailbox?mailbox=${encodeURIComponent(mailbox)}`;
    const answer = await fetch(page, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.adminToken}` },
      signal: AbortSignal.timeout(10_000),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`mailbox ${mailbox} was not dropped: ${text.trim()}`);
  }

  /**
   * Pauses the daemon. Its connections stay open, but it delivers nothing until `resumeDaemon()`.
   *
   * @throws Error if the daemon does not run in a separate container, see `withSeparateDaemon`
   */
  async pauseDaemon(): Promise<void> {
    await this.#separateDaemon('pauseDaemon').pause();
  }

  /**
   * Resumes a paused daemon.
   *
   * @throws Error if the daemon does not run in a separate container, see `withSeparateDaemon`
   */
  async resumeDaemon(): Promise<void> {
    await this.#separateDaemon('resumeDaemon').resume();
  }

  /** Closes `client()` and removes everything that `start()` created. */
  override async stop(options?: Partial<StopOptions>): Promise<StoppedTestContainer> {
    const { daemon, ownNetwork } = this.#around;
    // If the test killed the container, its mailboxes cannot be disconnected.
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
      throw new Error(
        `${what} is not available: the sidecar uses the daemon ${theirs} from withDaemonAddresses(); connect to that daemon directly`,
      );
  }

  #separateDaemon(what: string): SeparateDaemon {
    const { daemon } = this.#around;
    if (daemon === undefined)
      throw new Error(`${what}() requires a separate daemon; call withSeparateDaemon() before start()`);
    return daemon;
  }
}
