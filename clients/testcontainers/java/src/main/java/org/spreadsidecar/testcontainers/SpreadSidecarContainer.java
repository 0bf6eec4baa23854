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
 * A sidecar in a container. It uses its embedded Spread daemon, unless an option says otherwise.
 *
 * <p>{@link #start} waits until the sidecar is ready. {@link #stop} removes everything that {@code start} created. The
 * end of a try block calls {@code stop}. Set options before {@code start}. Methods return addresses for programs
 * outside of Docker, unless their comment says otherwise.
 */
public final class SpreadSidecarContainer extends GenericContainer<SpreadSidecarContainer> {
  /** The gRPC port in the container. */
  public static final int GRPC_PORT = 4813;

  /** The admin port in the container, for metrics and health. */
  public static final int ADMIN_PORT = 4814;

  /** The port of the embedded daemon in the container, for Spread clients. */
  public static final int DAEMON_PORT = 4803;

  /**
   * The value of the environment variable SPREAD_SIDECAR_IMAGE. If that variable is not set, {@code
   * spread-sidecar:test}.
   */
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

  /** Creates a container of {@link #DEFAULT_IMAGE}. */
  public SpreadSidecarContainer() {
    this(DEFAULT_IMAGE);
  }

  /** Creates a container of this image. */
  public SpreadSidecarContainer(String image) {
    this(DockerImageName.parse(image));
  }

  /** Creates a container of this image. */
  public SpreadSidecarContainer(DockerImageName image) {
    super(image);
    this.image = image;
    // The image's own command has flags with listen addresses, which would override the environment.
    withCommand("serve");
    withExposedPorts(GRPC_PORT, ADMIN_PORT, DAEMON_PORT);
    waitingFor(new ReadyPage(ADMIN_PORT));
    withLogConsumer(startLog);
  }

  /**
   * Sets the sidecar's configuration. The listen addresses, daemon, TLS and token that this module sets override the
   * configuration. You can set single options with {@code withEnv("SPREAD_SIDECAR_…", …)}.
   *
   * @param yaml the content of the YAML file
   */
  public SpreadSidecarContainer withConfig(String yaml) {
    withCopyToContainer(Transferable.of(yaml), CONFIG_PATH);
    return withEnv("SPREAD_SIDECAR_CONFIG", CONFIG_PATH);
  }

  /**
   * Sets the name of the embedded daemon, which is the last part of a private group such as {@code #alice#localhost}.
   * Default: {@code localhost}.
   */
  public SpreadSidecarContainer withDaemonName(String name) {
    daemonName = name;
    return this;
  }

  /**
   * Makes the sidecar use these Spread daemons instead of its embedded daemon. Each address has the form {@code
   * port@host}. The container must be able to reach it.
   */
  public SpreadSidecarContainer withDaemonAddresses(String... addresses) {
    daemonAddresses = List.of(addresses);
    return this;
  }

  /** Runs the daemon in a second container of the same image, so that a test can pause the daemon. */
  public SpreadSidecarContainer withSeparateDaemon() {
    wantsSeparateDaemon = true;
    return this;
  }

  /** Makes the sidecar use TLS, with a self-signed certificate for {@code localhost}. Both files are PEM. */
  public SpreadSidecarContainer withTls(Path certificate, Path key) {
    return withTls(certificate, key, certificate, "localhost");
  }

  /**
   * Makes the sidecar use TLS. All files are PEM.
   *
   * @param certificate the sidecar's certificate
   * @param key the private key of the certificate
   * @param ca the certificate authority that {@link #client} trusts
   * @param serverName the name that {@link #client} expects in the certificate. It does not depend on the host on
   *     which Docker publishes ports
   */
  public SpreadSidecarContainer withTls(Path certificate, Path key, Path ca, String serverName) {
    // Readable by the image's numeric user. The key is only for this test.
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

  /** Sets the client token, at least 16 characters. {@link #client} sends the token. */
  public SpreadSidecarContainer withToken(String value) {
    token = value;
    return withEnv("SPREAD_SIDECAR_GRPC_TOKENS", value);
  }

  /** Returns the address of the gRPC service, {@code host:port}. */
  public String getGrpcTarget() {
    return getHost() + ":" + getMappedPort(GRPC_PORT);
  }

  /** Returns the URL of the metrics. */
  public String getMetricsUrl() {
    return adminUrl(this, ADMIN_PORT, "/metrics");
  }

  static String adminUrl(ContainerState container, int port, String path) {
    return "http://" + container.getHost() + ":" + container.getMappedPort(port) + path;
  }

  /** Returns the admin token, a random value for each container. {@link SpreadSidecar#listMailboxes} needs it. */
  public String getAdminToken() {
    return adminToken;
  }

  /**
   * Returns the daemon's Spread name, {@code port@host}, for native Spread clients.
   *
   * @throws IllegalStateException if {@link #withDaemonAddresses} was called
   */
  public String getSpreadDaemon() {
    needOwnDaemon("getSpreadDaemon()");
    return daemon != null ? daemon.published() : getMappedPort(DAEMON_PORT) + "@" + getHost();
  }

  /**
   * Returns the daemon's Spread name for containers in the sidecar's Docker network.
   *
   * @throws IllegalStateException if {@link #withDaemonAddresses} was called
   */
  public String getSpreadDaemonInNetwork() {
    needOwnDaemon("getSpreadDaemonInNetwork()");
    return daemon != null ? daemon.inNetwork() : DAEMON_PORT + "@" + hostInNetwork();
  }

  /**
   * Returns the host name of this container for other containers: an alias. On Docker's default network, containers
   * have no names. There, the method returns the IP address.
   */
  private String hostInNetwork() {
    if (getNetwork() != null) return getNetworkAliases().get(0);
    return getContainerInfo().getNetworkSettings().getNetworks().values().iterator().next().getIpAddress();
  }

  private void needOwnDaemon(String what) {
    if (!daemonAddresses.isEmpty())
      throw new IllegalStateException(
          what
              + " is not available: the sidecar uses the daemon "
              + daemonAddresses.get(0)
              + " from withDaemonAddresses(); connect to that daemon directly");
  }

  /** Returns the target, TLS and token as client options, to create another {@link SpreadSidecar}. */
  public SidecarOptions clientOptions() {
    SidecarOptions options = new SidecarOptions().target(getGrpcTarget());
    if (tls != null) options.tls(tls);
    // Docker may be on another machine, but the token is only for this test.
    if (token != null) options.token(token).insecure(tls == null);
    return options;
  }

  /** Returns a client for this sidecar. Each call returns the same client. {@link #stop} closes the client. */
  public synchronized SpreadSidecar client() {
    if (client == null) client = new SpreadSidecar(clientOptions());
    return client;
  }

  /**
   * Closes a mailbox's connection to its daemon, as if the daemon had closed it. With {@code reconnect}, the mailbox
   * receives {@code ConnectionLost} and then {@code ConnectionRestored}. Without {@code reconnect}, the mailbox ends
   * with {@code CONNECTION_CLOSED}.
   *
   * @param mailbox the mailbox ID, the display ID or the private group
   * @throws IllegalStateException if the mailbox does not exist or is not connected
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
        throw new IllegalStateException("mailbox " + mailbox + " was not dropped: " + answer.body().strip());
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while dropping mailbox " + mailbox, interrupted);
    }
  }

  /**
   * Pauses the daemon. Its connections stay open, but it delivers nothing until {@link #resumeDaemon}.
   *
   * @throws IllegalStateException if the daemon does not run in a separate container, see {@link #withSeparateDaemon}
   */
  public void pauseDaemon() {
    needSeparateDaemon("pauseDaemon()").pause();
  }

  /**
   * Resumes a paused daemon.
   *
   * @throws IllegalStateException if the daemon does not run in a separate container, see {@link #withSeparateDaemon}
   */
  public void resumeDaemon() {
    needSeparateDaemon("resumeDaemon()").resume();
  }

  private SeparateDaemon needSeparateDaemon(String what) {
    if (daemon == null)
      throw new IllegalStateException(
          what + " requires a separate daemon; call withSeparateDaemon() before start()");
    return daemon;
  }

  /**
   * Starts the container and waits until the sidecar is ready. If {@code start} fails, it removes everything that it
   * created.
   *
   * @throws ContainerLaunchException if the sidecar ended or was not ready within a minute; the message contains the
   *     sidecar's log. Also if the Docker engine does not have the image and cannot pull it; the message names the image
   */
  @Override
  public void start() {
    if (getContainerId() != null) return;
    if (wantsSeparateDaemon && !daemonAddresses.isEmpty())
      throw new IllegalStateException("withSeparateDaemon and withDaemonAddresses are both set; set only one of them");
    MissingImage.checkLocal(image);
    startLog.begin();
    try {
      if (wantsSeparateDaemon) startDaemon();
      super.start();
    } catch (ContainerLaunchException failure) {
      stop();
      MissingImage.check(image, failure);
      throw new ContainerLaunchException("the sidecar did not become ready:\n" + startLog.text(), failure);
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

  /** Sets the options whose values are known only at the start. {@link #start} calls this method. */
  @Override
  protected void configure() {
    withEnv("SPREAD_SIDECAR_GRPC_LISTEN", "0.0.0.0:" + GRPC_PORT);
    withEnv("SPREAD_SIDECAR_ADMIN_LISTEN", "0.0.0.0:" + ADMIN_PORT);
    // All connections use a Docker network of the test.
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

  /** Closes {@link #client} and removes everything that {@link #start} created. Further calls have no effect. */
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
