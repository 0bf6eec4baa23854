package org.spreadsidecar.testcontainers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.exception.NotFoundException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.spreadsidecar.client.Mailbox;
import org.spreadsidecar.client.MailboxOptions;
import org.spreadsidecar.client.SpreadException;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.ContainerLaunchException;

/** Failure injection and clean-up. */
class FailuresTest {
  private static final SpreadSidecarContainer SIDECAR = new SpreadSidecarContainer();

  @BeforeAll
  static void start() {
    SIDECAR.start();
  }

  @AfterAll
  static void stop() {
    SIDECAR.stop();
  }

  @Test
  void aDroppedMailboxEndsAsIfTheDaemonHadCutIt() {
    try (Mailbox alice = SIDECAR.client().connect();
        Mailbox bob = SIDECAR.client().connect()) {
      SIDECAR.dropMailbox(alice.id());
      var end = assertThrows(SpreadException.class, () -> alice.receive(Duration.ofSeconds(10)));
      assertEquals("CONNECTION_CLOSED", end.reason());
      // Other mailboxes are not affected.
      bob.joinAndAwaitView("room");
    }
  }

  @Test
  void aMailboxThatIsNotThereCanNotBeDropped() {
    var failure = assertThrows(IllegalStateException.class, () -> SIDECAR.dropMailbox("#absent#localhost"));
    assertTrue(
        failure.getMessage().startsWith("mailbox #absent#localhost was not dropped: the mailbox does not exist"),
        failure::getMessage);
  }

  @Test
  void aDaemonInsideTheSidecarCanNotBePaused() {
    for (var failure :
        Set.of(
            assertThrows(IllegalStateException.class, SIDECAR::pauseDaemon),
            assertThrows(IllegalStateException.class, SIDECAR::resumeDaemon)))
      assertTrue(failure.getMessage().contains("withSeparateDaemon"), failure::getMessage);
  }

  @Test
  void aMissingImageIsNamedAndHowToBuildIt() {
    String name = "spread-sidecar-missing:none";
    for (var container :
        List.of(new SpreadSidecarContainer(name), new SpreadSidecarContainer(name).withSeparateDaemon())) {
      var failure = assertThrows(ContainerLaunchException.class, container::start);
      assertTrue(
          failure.getMessage().contains("the image " + name + "; build spread-sidecar:test with \"npm run image\""),
          failure::getMessage);
    }
  }

  @Test
  void aSeparateDaemonExcludesDaemonAddresses() {
    try (var sidecar = new SpreadSidecarContainer().withSeparateDaemon().withDaemonAddresses("4803@elsewhere")) {
      var failure = assertThrows(IllegalStateException.class, sidecar::start);
      assertTrue(failure.getMessage().contains("are both set; set only one of them"), failure::getMessage);
    }
  }

  @Test
  void aSeparateDaemonHasTheNameAlsoWhenStartedAgain() {
    try (var sidecar = new SpreadSidecarContainer().withSeparateDaemon().withDaemonName("node1")) {
      for (int round = 0; round < 2; round++) {
        sidecar.start();
        Mailbox alice = sidecar.client().connect(new MailboxOptions().privateName("alice"));
        assertEquals("#alice#node1", alice.privateGroup());
        sidecar.stop();
      }
    }
  }

  @Test
  void stopLeavesNothingEvenOfAPausedDaemon() {
    DockerClient docker = DockerClientFactory.instance().client();
    try (var sidecar = new SpreadSidecarContainer().withSeparateDaemon()) {
      sidecar.start();
      sidecar.client().connect();
      String network = sidecar.getNetwork().getId();
      Set<String> containers = docker.inspectNetworkCmd().withNetworkId(network).exec().getContainers().keySet();
      assertEquals(2, containers.size());
      assertTrue(containers.contains(sidecar.getContainerId()));

      sidecar.pauseDaemon();
      sidecar.stop();
      for (String container : containers)
        assertThrows(NotFoundException.class, () -> docker.inspectContainerCmd(container).exec());
      assertThrows(NotFoundException.class, () -> docker.inspectNetworkCmd().withNetworkId(network).exec());
    }
  }
}
