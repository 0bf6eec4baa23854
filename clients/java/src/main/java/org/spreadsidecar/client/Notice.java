package org.spreadsidecar.client;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** What a mailbox tells besides its events; see {@link MailboxOptions#onNotice}. */
public sealed interface Notice {
  /**
   * A stream stands, the first or one that goes on behind the last event of a broken one.
   *
   * @param nextSequence the sequence of the next event
   * @param groups the groups that the mailbox is in
   */
  record Attached(long nextSequence, List<String> groups) implements Notice {}

  /**
   * A stream broke; it is being made anew.
   *
   * @param error what it broke with
   */
  record Detached(SpreadException error) implements Notice {}

  /**
   * The queue in the sidecar fills faster than it is emptied.
   *
   * @param queuedEvents events that wait
   * @param queuedBytes their bytes
   * @param timeLeft how long after it was said the mailbox will be ended, unless the queue falls; empty: no soft limit threatens
   */
  record SlowConsumer(long queuedEvents, long queuedBytes, Optional<Duration> timeLeft) implements Notice {}

  /**
   * Nothing more will be received.
   *
   * @param error why; empty after disconnect or detach
   */
  record Ended(Optional<SpreadException> error) implements Notice {}
}
