package org.spreadsidecar.testcontainers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.spreadsidecar.testcontainers.Receiving.next;

import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.spreadsidecar.client.Mailbox;
import org.spreadsidecar.client.MailboxOptions;
import org.spreadsidecar.client.ReconnectOptions;
import org.spreadsidecar.client.ServiceType;
import org.spreadsidecar.client.SpreadEvent.ConnectionLost;
import org.spreadsidecar.client.SpreadEvent.ConnectionRestored;
import org.spreadsidecar.client.SpreadEvent.RegularMessage;
import org.spreadsidecar.client.SpreadEvent.ViewMessage;
import org.spreadsidecar.client.SpreadException;

/** A test with injected failures, as users of the module write it. The README shows parts of it. */
class SampleFailuresTest {
  @Test
  void aDroppedMailboxRejoinsItsGroups() {
    try (var sidecar = new SpreadSidecarContainer()) {
      sidecar.start();
      // region drop
      Mailbox alice = sidecar.client().connect(new MailboxOptions().reconnect(ReconnectOptions.DEFAULT));
      alice.joinAndAwaitView("greetings");

      sidecar.dropMailbox(alice.privateGroup());
      assertEquals(List.of("greetings"), next(ConnectionLost.class, alice).groups());
      assertEquals(List.of("greetings"), next(ConnectionRestored.class, alice).groups());
      // endregion

      alice.multicast(ServiceType.AGREED, "greetings", "here again".getBytes(UTF_8));
      assertEquals("here again", next(RegularMessage.class, alice).text());
    }
  }

  @Test
  void aPausedDaemonDeliversNothing() {
    // region pause
    try (var sidecar = new SpreadSidecarContainer().withSeparateDaemon()) {
      sidecar.start();
      Mailbox alice = sidecar.client().connect();
      alice.joinAndAwaitView("greetings");
      next(ViewMessage.class, alice);

      sidecar.pauseDaemon();
      alice.multicast(ServiceType.AGREED, "greetings", "is anybody there?".getBytes(UTF_8));
      var nothing = assertThrows(SpreadException.class, () -> alice.receive(Duration.ofMillis(500)));
      assertEquals(Status.Code.DEADLINE_EXCEEDED, nothing.status());

      sidecar.resumeDaemon();
      assertEquals("is anybody there?", next(RegularMessage.class, alice).text());
    }
    // endregion
  }
}
