import { randomBytes } from 'node:crypto';
import {
  GenericContainer,
  getContainerRuntimeClient,
  type StartedNetwork,
  type StartedTestContainer,
  Wait,
} from 'testcontainers';
import { PORTS } from './ports.js';

/** A container of the sidecar's image that runs the daemon alone, in the sidecar's network. */
export class SeparateDaemon {
  #paused = false;

  private constructor(
    private readonly container: StartedTestContainer,
    private readonly alias: string,
  ) {}

  /** Starts one. Whoever needs it waits for its own connection to it. */
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
      // The image's health check asks for a sidecar, and there is none in this container.
      .withWaitStrategy(Wait.forListeningPorts())
      .start();
    return new SeparateDaemon(container, alias);
  }

  /** Its spread name inside of the network. */
  get inNetwork(): string {
    return `${PORTS.daemon}@${this.alias}`;
  }

  /** Its spread name for programs outside of Docker. */
  get published(): string {
    return `${this.container.getMappedPort(PORTS.daemon)}@${this.container.getHost()}`;
  }

  /** Freezes it: its connections stay, and nothing is answered. */
  async pause(): Promise<void> {
    if (this.#paused) return;
    await (await this.#engineContainer()).pause();
    this.#paused = true;
  }

  /** Lets it continue. */
  async resume(): Promise<void> {
    if (!this.#paused) return;
    await (await this.#engineContainer()).unpause();
    this.#paused = false;
  }

  async stop(): Promise<void> {
    // What is frozen does not see that it is to end.
    await this.resume();
    await this.container.stop();
  }

  async #engineContainer() {
    return (await getContainerRuntimeClient()).container.getById(this.container.getId());
  }
}
