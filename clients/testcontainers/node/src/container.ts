import { randomBytes } from 'node:crypto';
import type { SidecarOptions } from 'spread-sidecar-client';
import { GenericContainer, Network, type StartedNetwork, Wait } from 'testcontainers';
import { stringify } from 'yaml';
import { DEFAULT_IMAGE, missingImage } from './image.js';
import { PORTS } from './ports.js';
import { SeparateDaemon } from './separate-daemon.js';
import { StartedSpreadSidecarContainer } from './started-container.js';

/** A certificate for a sidecar, in PEM. */
export interface ContainerTls {
  readonly cert: string;
  readonly key: string;
  /** The authority that `client()` trusts. Default: the certificate itself. */
  readonly ca?: string;
  /** The name that the certificate is for, whatever host Docker publishes ports on. Default: `localhost`. */
  readonly serverName?: string;
}

const FOLDER = '/etc/spread-sidecar-test';

/**
 * A sidecar with a Spread daemon of its own inside, unless told otherwise.
 *
 * `start()` resolves when the sidecar says that it is ready, within a minute unless `withStartupTimeout` says otherwise. Everything
 * that `GenericContainer` has is there too.
 */
export class SpreadSidecarContainer extends GenericContainer {
  readonly #adminToken = randomBytes(16).toString('hex');
  readonly #image: string;
  #token: string | undefined;
  #tls: ContainerTls | undefined;
  #daemonName: string | undefined;
  #daemonAddresses: readonly string[] = [];
  #wantsSeparateDaemon = false;
  #network: StartedNetwork | undefined;

  /** @param image - the sidecar's image. Default: {@link DEFAULT_IMAGE} */
  constructor(image: string = DEFAULT_IMAGE) {
    super(image);
    this.#image = image;
    // The image's own command says where to listen, and flags win over the environment.
    this.withCommand(['serve'])
      .withExposedPorts(PORTS.grpc, PORTS.admin, PORTS.daemon)
      .withStartupTimeout(60_000)
      .withWaitStrategy(Wait.forHttp('/readyz', PORTS.admin, { abortOnContainerExit: true }));
  }

  /**
   * The sidecar's configuration: its YAML as text, or the same as an object. What this module sets itself wins: addresses,
   * daemon, TLS, token. `withEnvironment({ SPREAD_SIDECAR_… })` works too.
   */
  withConfig(config: string | Readonly<Record<string, unknown>>): this {
    const content = typeof config === 'string' ? config : stringify(config);
    const target = `${FOLDER}/config.yaml`;
    this.withCopyContentToContainer([{ content, target }]);
    return this.withEnvironment({ SPREAD_SIDECAR_CONFIG: target });
  }

  /** The name of the sidecar's own daemon, as in `#alice#name`. Default: `localhost`. */
  withDaemonName(name: string): this {
    this.#daemonName = name;
    return this;
  }

  /** Spread daemons of yours, as `port@host` that the container can reach, instead of the sidecar's own. */
  withDaemonAddresses(...addresses: string[]): this {
    this.#daemonAddresses = addresses;
    return this;
  }

  /** The sidecar's own daemon runs in a second container of the same image, so that it can be paused. */
  withSeparateDaemon(): this {
    this.#wantsSeparateDaemon = true;
    return this;
  }

  /** Speak TLS. */
  withTls(tls: ContainerTls): this {
    this.#tls = tls;
    const cert = `${FOLDER}/tls.crt`;
    const key = `${FOLDER}/tls.key`;
    // Readable by the numeric user that the image runs with: the key is for this test only.
    this.withCopyContentToContainer([
      { content: tls.cert, target: cert, mode: 0o644 },
      { content: tls.key, target: key, mode: 0o644 },
    ]);
    return this.withEnvironment({ SPREAD_SIDECAR_GRPC_TLS_CERT: cert, SPREAD_SIDECAR_GRPC_TLS_KEY: key });
  }

  /** The token, of 16 characters at least, that every call must bring; `client()` does. */
  withToken(token: string): this {
    this.#token = token;
    return this.withEnvironment({ SPREAD_SIDECAR_GRPC_TOKENS: token });
  }

  override withNetwork(network: StartedNetwork): this {
    this.#network = network;
    return super.withNetwork(network);
  }

  /**
   * Starts it, and waits until it is ready. When that fails, nothing is left.
   *
   * @throws Error that names the image, when the Docker engine neither has the image nor can pull it
   */
  override async start(): Promise<StartedSpreadSidecarContainer> {
    if (this.#wantsSeparateDaemon && this.#daemonAddresses.length > 0)
      throw new Error('withSeparateDaemon and withDaemonAddresses: the sidecar can use one of them');
    let ownNetwork: StartedNetwork | undefined;
    let daemon: SeparateDaemon | undefined;
    try {
      if (this.#wantsSeparateDaemon) {
        if (this.#network === undefined) {
          ownNetwork = await new Network().start();
          super.withNetwork(ownNetwork);
        }
        daemon = await SeparateDaemon.start(this.#image, (this.#network ?? ownNetwork)!, this.#daemonName);
      }
      this.withEnvironment(this.#environment(daemon));
      const started = await super.start();
      return new StartedSpreadSidecarContainer(started, {
        adminToken: this.#adminToken,
        clientOptions: this.#clientOptions(),
        daemonAddresses: this.#daemonAddresses,
        // Without a network of a test's own there are no names, only addresses.
        hostInNetwork: this.#network && (this.networkAliases[0] ?? started.getId().slice(0, 12)),
        daemon,
        ownNetwork,
      });
    } catch (error) {
      await daemon?.stop();
      await ownNetwork?.stop();
      throw (await missingImage(this.#image, error)) ?? error;
    }
  }

  /** What is known only when it starts. */
  #environment(daemon: SeparateDaemon | undefined): Record<string, string> {
    const addresses = daemon ? [daemon.inNetwork] : this.#daemonAddresses;
    return {
      SPREAD_SIDECAR_GRPC_LISTEN: `0.0.0.0:${PORTS.grpc}`,
      SPREAD_SIDECAR_ADMIN_LISTEN: `0.0.0.0:${PORTS.admin}`,
      // Everything is reached through a network of Docker's on this machine.
      SPREAD_SIDECAR_INSECURE: 'true',
      SPREAD_SIDECAR_ADMIN_TOKEN: this.#adminToken,
      SPREAD_SIDECAR_ADMIN_FAILURE_INJECTION: 'true',
      ...(addresses.length > 0
        ? { SPREAD_SIDECAR_DAEMON_ADDRESSES: addresses.join(',') }
        : {
            SPREAD_SIDECAR_EMBEDDED_DAEMON: 'true',
            SPREAD_SIDECAR_EMBEDDED_LISTEN: `0.0.0.0:${PORTS.daemon}`,
            SPREAD_SIDECAR_EMBEDDED_SOCKET: 'off',
            ...(this.#daemonName === undefined ? {} : { SPREAD_SIDECAR_EMBEDDED_NAME: this.#daemonName }),
          }),
    };
  }

  #clientOptions(): Omit<SidecarOptions, 'target'> {
    const tls = this.#tls && {
      ca: this.#tls.ca ?? this.#tls.cert,
      serverName: this.#tls.serverName ?? 'localhost',
    };
    return {
      ...(tls && { tls }),
      // Docker may be on another machine; the token is for this test only.
      ...(this.#token !== undefined && { token: this.#token, insecure: tls === undefined }),
    };
  }
}
