package org.spreadsidecar.client;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** A notification of a mailbox that is not an event; see {@link MailboxOptions#onNotice}. */
public sealed interface Notice {
  /**
   * A stream is attached. It is the first stream, or a stream that resumes after a broken stream.
   *
   * @param nextSequence the sequence of the next event
   * @param groups the groups of the mailbox
   */
  record Attached(long nextSequence, List<String> groups) implements Notice {}

  /**
   * A stream broke. The client attaches again.
   *
   * @param error the error that ended the stream
   */
  record Detached(SpreadException error) implements Notice {}

  /**
   * Events arrive in the sidecar's queue faster than the application receives them.
   *
   * @param queuedEvents number of queued events
   * @param queuedBytes size of the queued events. Unit: bytes
   * @param timeLeft time until the sidecar ends the mailbox, unless the queue becomes shorter earlier; empty without
   * a soft limit
   */
  record SlowConsumer(long queuedEvents, long queuedBytes, Optional<Duration> timeLeft) implements Notice {}

  /**
   * The mailbox receives nothing more.
   *
   * @param error the reason; empty after disconnect or detach
   */
  record Ended(Optional<SpreadException> error) implements Notice {}
}
