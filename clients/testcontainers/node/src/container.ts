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
  /** The private key of the certificate. */
  readonly key: string;
  /** The certificate authority that `client()` trusts. Default: the certificate itself. */
  readonly ca?: string;
  /**
   * The name that `client()` expects in the certificate. It does not depend on the host on which Docker
   * publishes ports. Default: `localhost`.
   */
  readonly serverName?: string;
}

const FOLDER = '/etc/spread-sidecar-test';

/**
 * A sidecar in a container. It uses its embedded Spread daemon, unless an option says otherwise.
 *
 * `start()` waits until the sidecar is ready, at most for the time of `withStartupTimeout` (default: one
 * minute). All methods of `GenericContainer` are available. Set options before `start()`.
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
    // The image's own command has flags with listen addresses, which would override the environment.
    this.withCommand(['serve'])
      .withExposedPorts(PORTS.grpc, PORTS.admin, PORTS.daemon)
      .withStartupTimeout(60_000)
      .withWaitStrategy(Wait.forHttp('/readyz', PORTS.admin, { abortOnContainerExit: true }));
  }

  /**
   * Sets the sidecar's configuration, as YAML text or as an object with the keys of the YAML file. The listen
   * addresses, daemon, TLS and token that this module sets override the configuration. You can set single
   * options with `withEnvironment({ SPREAD_SIDECAR_… })`.
   */
  withConfig(config: string | Readonly<Record<string, unknown>>): this {
    const content = typeof config === 'string' ? config : stringify(config);
    const target = `${FOLDER}/config.yaml`;
    this.withCopyContentToContainer([{ content, target }]);
    return this.withEnvironment({ SPREAD_SIDECAR_CONFIG: target });
  }

  /**
   * Sets the name of the embedded daemon, which is the last part of a private group such as
   * `#alice#localhost`. Default: `localhost`.
   */
  withDaemonName(name: string): this {
    this.#daemonName = name;
    return this;
  }

  /**
   * Makes the sidecar use these Spread daemons instead of its embedded daemon. Each address has the form
   * `port@host`. The container must be able to reach it.
   */
  withDaemonAddresses(...addresses: string[]): this {
    this.#daemonAddresses = addresses;
    return this;
  }

  /** Runs the daemon in a second container of the same image, so that a test can pause the daemon. */
  withSeparateDaemon(): this {
    this.#wantsSeparateDaemon = true;
    return this;
  }

  /** Makes the sidecar use TLS. */
  withTls(tls: ContainerTls): this {
    this.#tls = tls;
    const cert = `${FOLDER}/tls.crt`;
    const key = `${FOLDER}/tls.key`;
    // Readable by the image's numeric user. The key is only for this test.
    this.withCopyContentToContainer([
      { content: tls.cert, target: cert, mode: 0o644 },
      { content: tls.key, target: key, mode: 0o644 },
    ]);
    return this.withEnvironment({ SPREAD_SIDECAR_GRPC_TLS_CERT: cert, SPREAD_SIDECAR_GRPC_TLS_KEY: key });
  }

  /** Sets the client token, at least 16 characters. `client()` sends the token. */
  withToken(token: string): this {
    this.#token = token;
    return this.withEnvironment({ SPREAD_SIDECAR_GRPC_TOKENS: token });
  }

  override withNetwork(network: StartedNetwork): this {
    this.#network = network;
    return super.withNetwork(network);
  }

  /**
   * Starts the container and waits until the sidecar is ready. If `start()` fails, it removes everything that
   * it created.
   *
   * @throws Error if the Docker engine does not have the image and cannot pull it; the message names the image
   */
  override async start(): Promise<StartedSpreadSidecarContainer> {
    if (this.#wantsSeparateDaemon && this.#daemonAddresses.length > 0)
      throw new Error('withSeparateDaemon and withDaemonAddresses are both set; set only one of them');
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
        // Without a network of the test, containers have addresses but no names.
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

  /** The variables that are known only at the start. */
  #environment(daemon: SeparateDaemon | undefined): Record<string, string> {
    const addresses = daemon ? [daemon.inNetwork] : this.#daemonAddresses;
    return {
      SPREAD_SIDECAR_GRPC_LISTEN: `0.0.0.0:${PORTS.grpc}`,
      SPREAD_SIDECAR_ADMIN_LISTEN: `0.0.0.0:${PORTS.admin}`,
      // All connections use a Docker network of this machine.
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
      // Docker may be on another machine, but the token is only for this test.
      ...(this.#token !== undefined && { token: this.#token, insecure: tls === undefined }),
    };
  }
}
