package org.spreadsidecar.testcontainers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.spreadsidecar.testcontainers.Receiving.next;

import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.spreadsidecar.client.Mailbox;
import org.spreadsidecar.client.MailboxOptions;
import org.spreadsidecar.client.ServiceType;
import org.spreadsidecar.client.SidecarOptions;
import org.spreadsidecar.client.SpreadEvent.RegularMessage;
import org.spreadsidecar.client.SpreadException;
import org.spreadsidecar.client.SpreadSidecar;
import org.testcontainers.containers.ContainerLaunchException;
import org.testcontainers.containers.Network;

/** The options and properties of the container. */
class OptionsTest {
  private static SpreadSidecarContainer started(UnaryOperator<SpreadSidecarContainer> options) {
    SpreadSidecarContainer sidecar = options.apply(new SpreadSidecarContainer());
    sidecar.start();
    return sidecar;
  }

  private static Mailbox alice(SpreadSidecarContainer sidecar) {
    return sidecar.client().connect(new MailboxOptions().privateName("alice"));
  }

  /** A client that knows only the target. */
  private static SpreadSidecar stranger(SpreadSidecarContainer sidecar) {
    return new SpreadSidecar(new SidecarOptions().target(sidecar.getGrpcTarget()));
  }

  @Test
  void config() {
    String yaml =
        """
        mailbox:
          leaseDefault: 7s
        """;
    try (var sidecar = started(container -> container.withConfig(yaml).withDaemonName("node1"))) {
      assertEquals(Duration.ofSeconds(7), alice(sidecar).lease());
      assertEquals("#alice#node1", sidecar.client().listMailboxes(sidecar.getAdminToken()).get(0).privateGroup());
    }
  }

  @Test
  void environment() {
    try (var sidecar = started(container -> container.withEnv("SPREAD_SIDECAR_MAILBOX_LEASE_DEFAULT", "8s"))) {
      assertEquals(Duration.ofSeconds(8), alice(sidecar).lease());
    }
  }

  @Test
  void aMistakeInTheConfigurationIsReported() {
    try (var sidecar = new SpreadSidecarContainer().withConfig("mailbox: {leaseDefault: soon}")) {
      var failure = assertThrows(ContainerLaunchException.class, sidecar::start);
      assertTrue(failure.getMessage().contains("mailbox.leaseDefault"), failure::getMessage);
    }
  }

  @Test
  void token() {
    try (var sidecar = started(container -> container.withToken("a-token-for-this-test"));
        var stranger = stranger(sidecar)) {
      assertEquals("#alice#localhost", alice(sidecar).privateGroup());
      assertEquals("CREDENTIAL_MISSING", assertThrows(SpreadException.class, stranger::connect).reason());
    }
  }

  @Test
  void tls() {
    Path folder = Path.of(System.getenv("TEST_TLS_FOLDER"));
    try (var sidecar =
            started(
                container ->
                    container
                        .withTls(
                            folder.resolve("tls.crt"),
                            folder.resolve("tls.key"),
                            folder.resolve("ca.crt"),
                            "sidecar.test")
                        .withToken("a-token-for-this-test"));
        var stranger = stranger(sidecar)) {
      assertEquals("#alice#localhost", alice(sidecar).privateGroup());
      assertThrows(SpreadException.class, stranger::version);
    }
  }

  @Test
  void twoSidecarsInANetwork() {
    try (var network = Network.newNetwork()) {
      atOneDaemon(network, container -> container.withNetwork(network));
      atOneDaemon(network, container -> container.withNetwork(network).withNetworkAliases("one"));
      atOneDaemon(network, container -> container.withNetwork(network).withSeparateDaemon());
    }
  }

  @Test
  void twoSidecarsWithoutANetwork() {
    atOneDaemon(null, container -> container);
  }

  private static void atOneDaemon(Network network, UnaryOperator<SpreadSidecarContainer> options) {
    try (var one = started(options);
        var other =
            started(
                container ->
                    container.withNetwork(network).withDaemonAddresses(one.getSpreadDaemonInNetwork()))) {
      Mailbox alice = alice(one);
      alice.joinAndAwaitView("room");
      Mailbox bob = other.client().connect(new MailboxOptions().privateName("bob"));
      bob.multicast(ServiceType.AGREED, "room", "over there".getBytes(UTF_8));
      assertEquals("#bob#localhost", next(RegularMessage.class, alice).sender());
      assertThrows(IllegalStateException.class, other::getSpreadDaemon);
    }
  }

  @Test
  void metrics() throws Exception {
    try (var sidecar = started(container -> container)) {
      HttpRequest request = HttpRequest.newBuilder(URI.create(sidecar.getMetricsUrl())).build();
      String page = HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body();
      assertTrue(page.contains("spread_sidecar_mailboxes"), page);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void nativeClientsReachTheDaemon(boolean separate) throws IOException {
    try (var sidecar = started(container -> separate ? container.withSeparateDaemon() : container)) {
      String[] daemon = sidecar.getSpreadDaemon().split("@");
      try (Socket connection = new Socket(daemon[1], Integer.parseInt(daemon[0]))) {
        connection.setSoTimeout(10_000);
        // Version 5.0.1, with membership messages, private name "me". The daemon responds with its authentication
        // methods.
        connection.getOutputStream().write(new byte[] {5, 0, 1, 1, 2, 'm', 'e'});
        assertArrayEquals("\5NULL".getBytes(UTF_8), connection.getInputStream().readNBytes(5));
      }
    }
  }
}
