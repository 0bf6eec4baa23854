package org.spreadsidecar.testcontainers;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.spreadsidecar.client.SidecarOptions;
import org.spreadsidecar.client.SpreadSidecar;
import org.spreadsidecar.client.TlsOptions;
import org.testcontainers.containers.ContainerLaunchException;
import org.testcontainers.containers.ContainerState;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.images.builder.Transferable;
import org.testcontainers.utility.DockerImageName;

/**
 * A sidecar in a container, with a Spread daemon of its own inside unless told otherwise.
 *
 * <p>{@link #start} returns when the sidecar says that it is ready; {@link #stop}, or leaving a try block, removes all that was
 * started. Options have to be set before {@code start}. Methods that tell where something is are for programs outside of Docker,
 * unless they say otherwise.
 */
public final class SpreadSidecarContainer extends GenericContainer<SpreadSidecarContainer> {
  /** Where the sidecar serves its mailboxes inside of the container. */
  public static final int GRPC_PORT = 4813;

  /** Where it serves metrics and health. */
  public static final int ADMIN_PORT = 4814;

  /** Where its embedded daemon listens for Spread clients. */
  public static final int DAEMON_PORT = 4803;

  /** SPREAD_SIDECAR_IMAGE in the environment, else {@code spread-sidecar:test}. */
  public static final String DEFAULT_IMAGE = MissingImage.defaultImage();

  private static final String CONFIG_PATH = "/etc/spread-sidecar-test/config.yaml";
  private static final String CERTIFICATE_PATH = "/etc/spread-sidecar-test/tls.crt";
  private static final String KEY_PATH = "/etc/spread-sidecar-test/tls.key";

  private final DockerImageName image;
  private final String adminToken = UUID.randomUUID().toString();
  private final StartLog startLog = new StartLog();
  private String token;
  private TlsOptions tls;
  private String daemonName;
  private List<String> daemonAddresses = List.of();
  private boolean wantsSeparateDaemon;
  private SeparateDaemon daemon;
  private Network ownNetwork;
  private SpreadSidecar client;

  /** A sidecar of {@link #DEFAULT_IMAGE}. */
  public SpreadSidecarContainer() {
    this(DEFAULT_IMAGE);
  }

  /** A sidecar of the image of this name. */
  public SpreadSidecarContainer(String image) {
    this(DockerImageName.parse(image));
  }

  /** A sidecar of this image. */
  public SpreadSidecarContainer(DockerImageName image) {
    super(image);
    this.image = image;
    // The image's own command says where to listen, and flags win over the environment.
    withCommand("serve");
    withExposedPorts(GRPC_PORT, ADMIN_PORT, DAEMON_PORT);
    waitingFor(new ReadyPage(ADMIN_PORT));
    withLogConsumer(startLog);
  }

  /**
   * Gives the sidecar its configuration. What this module sets itself wins: addresses, daemon, TLS, token. Single options can be
   * given by {@code withEnv("SPREAD_SIDECAR_…", …)} too.
   *
   * @param yaml the configuration's text
   */
  public SpreadSidecarContainer withConfig(String yaml) {
    withCopyToContainer(Transferable.of(yaml), CONFIG_PATH);
    return withEnv("SPREAD_SIDECAR_CONFIG", CONFIG_PATH);
  }

  /** Names the sidecar's own daemon, as in {@code #alice#name}. Default: {@code localhost}. */
  public SpreadSidecarContainer withDaemonName(String name) {
    daemonName = name;
    return this;
  }

  /** Lets the sidecar use Spread daemons of yours, as {@code port@host} that the container can reach, instead of its own. */
  public SpreadSidecarContainer withDaemonAddresses(String... addresses) {
    daemonAddresses = List.of(addresses);
    return this;
  }

  /** Runs the sidecar's own daemon in a second container of the same image, so that it can be paused. */
  public SpreadSidecarContainer withSeparateDaemon() {
    wantsSeparateDaemon = true;
    return this;
  }

  /** Speaks TLS with a certificate for {@code localhost} that is its own authority. */
  public SpreadSidecarContainer withTls(Path certificate, Path key) {
    return withTls(certificate, key, certificate, "localhost");
  }

  /**
   * Speaks TLS. All files are PEM.
   *
   * @param certificate the sidecar's
   * @param key its private key
   * @param ca the authority that {@link #client} trusts
   * @param serverName the name that the certificate is for, whatever host Docker publishes ports on
   */
  public SpreadSidecarContainer withTls(Path certificate, Path key, Path ca, String serverName) {
    // Readable by the numeric user that the image runs with: the key is for this test only.
    withCopyToContainer(Transferable.of(read(certificate)), CERTIFICATE_PATH);
    withCopyToContainer(Transferable.of(read(key)), KEY_PATH);
    tls = new TlsOptions(read(ca), null, null, serverName);
    withEnv("SPREAD_SIDECAR_GRPC_TLS_CERT", CERTIFICATE_PATH);
    return withEnv("SPREAD_SIDECAR_GRPC_TLS_KEY", KEY_PATH);
  }

  private static byte[] read(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** Sets the token, of 16 characters at least, that every call must bring; {@link #client} does. */
  public SpreadSidecarContainer withToken(String value) {
    token = value;
    return withEnv("SPREAD_SIDECAR_GRPC_TOKENS", value);
  }

  /** {@code host:port} of the gRPC service. */
  public String getGrpcTarget() {
    return getHost() + ":" + getMappedPort(GRPC_PORT);
  }

  /** URL of the metrics. */
  public String getMetricsUrl() {
    return adminUrl(this, ADMIN_PORT, "/metrics");
  }

  static String adminUrl(ContainerState container, int port, String path) {
    return "http://" + container.getHost() + ":" + container.getMappedPort(port) + path;
  }

  /** The credential for {@link SpreadSidecar#listMailboxes}, new for every container. */
  public String getAdminToken() {
    return adminToken;
  }

  /**
   * The daemon's spread name, {@code port@host}, for Spread clients.
   *
   * @throws IllegalStateException the daemon is yours; see {@link #withDaemonAddresses}
   */
  public String getSpreadDaemon() {
    needOwnDaemon();
    return daemon != null ? daemon.published() : getMappedPort(DAEMON_PORT) + "@" + getHost();
  }

  /**
   * The daemon's spread name for containers of the same Docker network.
   *
   * @throws IllegalStateException the daemon is yours; see {@link #withDaemonAddresses}
   */
  public String getSpreadDaemonInNetwork() {
    needOwnDaemon();
    return daemon != null ? daemon.inNetwork() : DAEMON_PORT + "@" + hostInNetwork();
  }

  /** What other containers call this one: an alias, or without a network of yours, where there are no names, its address. */
  private String hostInNetwork() {
    if (getNetwork() != null) return getNetworkAliases().get(0);
    return getContainerInfo().getNetworkSettings().getNetworks().values().iterator().next().getIpAddress();
  }

  private void needOwnDaemon() {
    if (!daemonAddresses.isEmpty())
      throw new IllegalStateException("this sidecar has no daemon of its own, it uses " + daemonAddresses.get(0));
  }

  /** How to reach the sidecar, with its TLS and token, for a {@link SpreadSidecar} of your own. */
  public SidecarOptions clientOptions() {
    SidecarOptions options = new SidecarOptions().target(getGrpcTarget());
    if (tls != null) options.tls(tls);
    // Docker may be on another machine; the token is for this test only.
    if (token != null) options.token(token).insecure(tls == null);
    return options;
  }

  /** A client of the sidecar, one for all who ask. {@link #stop} closes it. */
  public synchronized SpreadSidecar client() {
    if (client == null) client = new SpreadSidecar(clientOptions());
    return client;
  }

  /**
   * Cuts a mailbox's connection to its daemon, as if the daemon had. With {@code reconnect} the mailbox tells {@code
   * ConnectionLost} and then {@code ConnectionRestored}; else it ends with {@code CONNECTION_CLOSED}.
   *
   * @param mailbox its id or its private group
   * @throws IllegalStateException there is no such mailbox, or it has no connection now
   */
  public void dropMailbox(String mailbox) {
    String page = adminUrl(this, ADMIN_PORT, "/drop-mailbox?mailbox=" + URLEncoder.encode(mailbox, UTF_8));
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(page))
            .timeout(Duration.ofSeconds(10))
            .header("authorization", "Bearer " + adminToken)
            .POST(BodyPublishers.noBody())
            .build();
    try {
      var answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
      if (answer.statusCode() >= 400)
        throw new IllegalStateException(mailbox + " was not dropped: " + answer.body().strip());
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while " + mailbox + " was dropped", interrupted);
    }
  }

  /**
   * Freezes the daemon: its connections stay, and nothing is delivered until {@link #resumeDaemon}.
   *
   * @throws IllegalStateException the daemon is not in a container of its own; see {@link #withSeparateDaemon}
   */
  public void pauseDaemon() {
    needSeparateDaemon().pause();
  }

  /**
   * Lets a paused daemon continue.
   *
   * @throws IllegalStateException the daemon is not in a container of its own; see {@link #withSeparateDaemon}
   */
  public void resumeDaemon() {
    needSeparateDaemon().resume();
  }

  private SeparateDaemon needSeparateDaemon() {
    if (daemon == null)
      throw new IllegalStateException(
          "the daemon is not in a container of its own: withSeparateDaemon(), then start()");
    return daemon;
  }

  /**
   * Starts it, and waits until it is ready. When that fails, nothing is left.
   *
   * @throws ContainerLaunchException it ended or was not ready in a minute; the message has its log, or names the image that the
   *     Docker engine neither has nor can pull
   */
  @Override
  public void start() {
    if (getContainerId() != null) return;
    if (wantsSeparateDaemon && !daemonAddresses.isEmpty())
      throw new IllegalStateException("a separate daemon and daemon addresses: the sidecar can use one of them");
    MissingImage.checkLocal(image);
    startLog.begin();
    try {
      if (wantsSeparateDaemon) startDaemon();
      super.start();
    } catch (ContainerLaunchException failure) {
      stop();
      MissingImage.check(image, failure);
      throw new ContainerLaunchException("The sidecar did not get ready:\n" + startLog.text(), failure);
    } catch (RuntimeException failure) {
      stop();
      MissingImage.check(image, failure);
      throw failure;
    }
    startLog.forget();
  }

  private void startDaemon() {
    if (getNetwork() == null) {
      ownNetwork = Network.newNetwork();
      withNetwork(ownNetwork);
    }
    daemon = new SeparateDaemon(image, DAEMON_PORT, daemonName, getNetwork());
    daemon.start();
  }

  /** Called by {@link #start}: what is known only then. */
  @Override
  protected void configure() {
    withEnv("SPREAD_SIDECAR_GRPC_LISTEN", "0.0.0.0:" + GRPC_PORT);
    withEnv("SPREAD_SIDECAR_ADMIN_LISTEN", "0.0.0.0:" + ADMIN_PORT);
    // Everything is reached through a Docker network of the test.
    withEnv("SPREAD_SIDECAR_INSECURE", "true");
    withEnv("SPREAD_SIDECAR_ADMIN_TOKEN", adminToken);
    withEnv("SPREAD_SIDECAR_ADMIN_FAILURE_INJECTION", "true");
    List<String> addresses = daemon != null ? List.of(daemon.inNetwork()) : daemonAddresses;
    withEnv("SPREAD_SIDECAR_EMBEDDED_DAEMON", String.valueOf(addresses.isEmpty()));
    if (!addresses.isEmpty()) {
      withEnv("SPREAD_SIDECAR_DAEMON_ADDRESSES", String.join(",", addresses));
      return;
    }
    withEnv("SPREAD_SIDECAR_EMBEDDED_LISTEN", "0.0.0.0:" + DAEMON_PORT);
    withEnv("SPREAD_SIDECAR_EMBEDDED_SOCKET", "off");
    if (daemonName != null) withEnv("SPREAD_SIDECAR_EMBEDDED_NAME", daemonName);
  }

  /** Closes {@link #client} and removes all that was started. Once is enough; more does no harm. */
  @Override
  public synchronized void stop() {
    if (client != null) client.close();
    client = null;
    super.stop();
    if (daemon != null) daemon.stop();
    daemon = null;
    if (ownNetwork == null) return;
    ownNetwork.close();
    ownNetwork = null;
    withNetwork(null);
  }
}
