package org.spreadsidecar.testcontainers;

// region sample
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.spreadsidecar.client.Mailbox;
import org.spreadsidecar.client.MailboxOptions;
import org.spreadsidecar.client.ServiceType;
import org.spreadsidecar.client.SpreadEvent;
import org.spreadsidecar.client.SpreadEvent.RegularMessage;
import org.spreadsidecar.testcontainers.SpreadSidecarContainer;

class SampleTest {
  @Test
  void aGreetingReachesTheGroup() {
    try (var sidecar = new SpreadSidecarContainer()) {
      sidecar.start();
      Mailbox alice = sidecar.client().connect(new MailboxOptions().privateName("alice"));
      alice.joinAndAwaitView("greetings");
      alice.multicast(ServiceType.AGREED, "greetings", "hello, group".getBytes(UTF_8));
      for (SpreadEvent event : alice)
        if (event instanceof RegularMessage message) {
          assertEquals("#alice#localhost", message.sender());
          assertEquals("hello, group", message.text());
          break;
        }
    }
  }
}
// endregion
