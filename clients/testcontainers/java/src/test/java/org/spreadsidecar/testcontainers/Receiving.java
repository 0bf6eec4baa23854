package org.spreadsidecar.testcontainers;

import java.time.Duration;
import org.spreadsidecar.client.Mailbox;
import org.spreadsidecar.client.SpreadEvent;

/** Waiting for events. */
final class Receiving {
  private Receiving() {}

  /** The mailbox's next event of a kind; others before it are passed over. */
  static <T extends SpreadEvent> T next(Class<T> kind, Mailbox mailbox) {
    while (true) {
      SpreadEvent event = mailbox.receive(Duration.ofSeconds(10));
      if (kind.isInstance(event)) return kind.cast(event);
    }
  }
}
