import { randomBytes } from 'node:crypto';
import {
  GenericContainer,
  getContainerRuntimeClient,
  type StartedNetwork,
  type StartedTestContainer,
  Wait,
} from 'testcontainers';
import { PORTS } from './ports.js';

/** A container of the sidecar's image that runs only the daemon, in the sidecar's network. */
export class SeparateDaemon {
  #paused = false;

  private constructor(
    private readonly container: StartedTestContainer,
    private readonly alias: string,
  ) {}

  /** Starts a daemon without waiting: the sidecar waits for its connection to the daemon. */
  static async start(
    image: string,
    network: StartedNetwork,
    name: string | undefined,
  ): Promise<SeparateDaemon> {
    // Several sidecars may share a network.
    const alias = `spread-${randomBytes(4).toString('hex')}`;
    const where = ['--listen', '0.0.0.0', '--port', String(PORTS.daemon), '--socket', 'off'];
    const container = await new GenericContainer(image)
      .withCommand(['daemon', ...where, ...(name === undefined ? [] : ['--name', name])])
      .withExposedPorts(PORTS.daemon)
      .withNetwork(network)
      .withNetworkAliases(alias)
      // The image's health check is for a sidecar, which does not run in this container.
      .withWaitStrategy(Wait.forListeningPorts())
      .start();
    return new SeparateDaemon(container, alias);
  }

  /** Its Spread name in the network. */
  get inNetwork(): string {
    return `${PORTS.daemon}@${this.alias}`;
  }

  /** Its Spread name for programs outside of Docker. */
  get published(): string {
    return `${this.container.getMappedPort(PORTS.daemon)}@${this.container.getHost()}`;
  }

  /** Pauses the daemon: its connections stay open, and it does not respond. */
  async pause(): Promise<void> {
    if (this.#paused) return;
    await (await this.#engineContainer()).pause();
    this.#paused = true;
  }

  /** Resumes the daemon. */
  async resume(): Promise<void> {
    if (!this.#paused) return;
    await (await this.#engineContainer()).unpause();
    this.#paused = false;
  }

  async stop(): Promise<void> {
    // A paused process cannot stop.
    await this.resume();
    await this.container.stop();
  }

  async #engineContainer() {
    return (await getContainerRuntimeClient()).container.getById(this.container.getId());
  }
}
