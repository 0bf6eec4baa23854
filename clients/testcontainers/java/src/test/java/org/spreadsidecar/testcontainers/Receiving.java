package org.spreadsidecar.testcontainers;

import java.time.Duration;
import org.spreadsidecar.client.Mailbox;
import org.spreadsidecar.client.SpreadEvent;

/** Waiting for events. */
final class Receiving {
  private Receiving() {}

  /** Receives events until the first one of a kind. */
  static <T extends SpreadEvent> T next(Class<T> kind, Mailbox mailbox) {
    while (true) {
      SpreadEvent event = mailbox.receive(Duration.ofSeconds(10));
      if (kind.isInstance(event)) return kind.cast(event);
    }
  }
}
